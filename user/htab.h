/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * htab.h - a hash table of nodes that lie inside what they find. Knows no
 * stage, owns no memory but its buckets.
 */
#ifndef HTAB_H
#define HTAB_H

#include <stddef.h>
#include <stdint.h>

struct htab_node {
	struct htab_node *next;
	uint64_t hash;
};

struct htab {
	struct htab_node **buckets;
	size_t mask; /* buckets - 1 */
	size_t count;
};

/* Random, another one in each run: who chooses what is kept, as a remote host
 * does its address, cannot choose what collides. */
extern uint64_t htab_key;

/* A good mix of 64 bits; htab_mix(htab_mix(0, a), b) mixes two. */
static inline uint64_t htab_mix(uint64_t seed, uint64_t value)
{
	value = (value ^ seed ^ htab_key) * 0x9e3779b97f4a7c15u;
	return value ^ value >> 29;
}

/* 0 or -ENOMEM: the table is as it was, and the node not in it. */
int htab_add(struct htab *table, struct htab_node *node, uint64_t hash);
void htab_remove(struct htab *table, struct htab_node *node);

/* The first node of that hash, or NULL; then the next one with it. */
struct htab_node *htab_find(const struct htab *table, uint64_t hash);
struct htab_node *htab_next(const struct htab_node *node);

/* Visits every node; @visit may remove and free the one it gets. */
void htab_each(struct htab *table,
	       void (*visit)(struct htab_node *node, void *context),
	       void *context);
/* Frees the buckets. */
void htab_free(struct htab *table);

#define htab_entry(node, type, member) \
	((type *)((char *)(node)-offsetof(type, member)))

#endif
