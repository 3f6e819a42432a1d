// SPDX-License-Identifier: GPL-2.0-only
/*
 * htab.c - a hash table of nodes that lie inside what they find.
 */
#include "htab.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

uint64_t htab_key;

static void __attribute__((constructor)) choose_key(void)
{
	/* Without one the table still works. */
	if (getrandom(&htab_key, sizeof(htab_key), GRND_NONBLOCK) < 0)
		htab_key = 0;
}

static int grow(struct htab *table)
{
	size_t old = table->buckets ? table->mask + 1 : 0;
	size_t size = old ? 2 * old : 64;
	struct htab_node **buckets = calloc(size, sizeof(*buckets));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < old; i++) {
		struct htab_node *node = table->buckets[i], *next;

		for (; node; node = next) {
			struct htab_node **to =
				&buckets[node->hash & (size - 1)];

			next = node->next;
			node->next = *to;
			*to = node;
		}
	}
	free(table->buckets);
	table->buckets = buckets;
	table->mask = size - 1;
	return 0;
}

int htab_add(struct htab *table, struct htab_node *node, uint64_t hash)
{
	struct htab_node **to;

	if (!table->buckets || table->count > table->mask) {
		int err = grow(table);

		if (err)
			return err;
	}
	to = &table->buckets[hash & table->mask];
	node->hash = hash;
	node->next = *to;
	*to = node;
	table->count++;
	return 0;
}

void htab_remove(struct htab *table, struct htab_node *node)
{
	struct htab_node **at = &table->buckets[node->hash & table->mask];

	for (; *at; at = &(*at)->next) {
		if (*at != node)
			continue;
		*at = node->next;
		table->count--;
		return;
	}
}

static struct htab_node *same_hash(struct htab_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct htab_node *htab_find(const struct htab *table, uint64_t hash)
{
	if (!table->buckets)
		return NULL;
	return same_hash(table->buckets[hash & table->mask], hash);
}

struct htab_node *htab_next(const struct htab_node *node)
{
	return same_hash(node->next, node->hash);
}

void htab_each(struct htab *table,
	       void (*visit)(struct htab_node *node, void *context),
	       void *context)
{
	struct htab_node *node, *next;

	for (size_t i = 0; table->buckets && i <= table->mask; i++) {
		for (node = table->buckets[i]; node; node = next) {
			next = node->next;
			visit(node, context);
		}
	}
}

void htab_free(struct htab *table)
{
	free(table->buckets);
	*table = (struct htab){ 0 };
}
