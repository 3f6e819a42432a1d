// SPDX-License-Identifier: GPL-2.0-only
/* test_htab.c - user/htab.c: nothing is lost when a table grows. */
#include "test.h"

#include "htab.h"

#define MANY 5000

struct thing {
	int before; /* so that the node is not at its start */
	struct htab_node node;
	int seen;
};

static struct thing things[MANY];

static void fill(struct htab *table, uint64_t (*hash)(int i))
{
	memset(things, 0, sizeof(things));
	for (int i = 0; i < MANY; i++)
		assert_int_equal(htab_add(table, &things[i].node, hash(i)), 0);
	assert_int_equal(table->count, MANY);
}

static uint64_t spread(int i)
{
	return htab_mix(0, i);
}

/* 50 of each hash, and many in the same bucket. */
static uint64_t crowded(int i)
{
	return (uint64_t)(i % 100) << 32;
}

static int count(const struct htab *table, uint64_t hash)
{
	struct htab_node *node = htab_find(table, hash);
	int found = 0;

	for (; node; node = htab_next(node)) {
		assert_int_equal(node->hash, hash);
		found++;
	}
	return found;
}

static void test_find_all(void **state)
{
	struct htab table = { 0 };

	(void)state;
	assert_null(htab_find(&table, 1));
	fill(&table, spread);
	for (int i = 0; i < MANY; i++) {
		struct htab_node *node = htab_find(&table, spread(i));

		assert_non_null(node);
		assert_ptr_equal(htab_entry(node, struct thing, node),
				 &things[i]);
		assert_null(htab_next(node));
	}
	assert_null(htab_find(&table, spread(MANY)));
	/* It stays fast: not more nodes than buckets. */
	assert_true(table.count <= table.mask + 1);
	htab_free(&table);
	assert_null(htab_find(&table, spread(0)));
}

static void test_same_hash(void **state)
{
	struct htab table = { 0 };

	(void)state;
	fill(&table, crowded);
	for (int i = 0; i < 100; i++)
		assert_int_equal(count(&table, crowded(i)), MANY / 100);
	htab_free(&table);
}

static void test_remove(void **state)
{
	struct htab table = { 0 };

	(void)state;
	fill(&table, crowded);
	for (int i = 0; i < MANY; i += 2)
		htab_remove(&table, &things[i].node);
	assert_int_equal(table.count, MANY / 2);
	for (int i = 0; i < 100; i++)
		assert_int_equal(count(&table, crowded(i)), i % 2 ? 50 : 0);
	/* One that is not in it changes nothing. */
	htab_remove(&table, &things[0].node);
	assert_int_equal(table.count, MANY / 2);
	htab_free(&table);
}

static void visit(struct htab_node *node, void *context)
{
	htab_entry(node, struct thing, node)->seen++;
	if (context)
		htab_remove(context, node);
	memset(node, 0x5a, sizeof(*node)); /* as if it were freed */
}

static void test_each(void **state)
{
	struct htab table = { 0 };

	(void)state;
	htab_each(&table, visit, NULL);
	fill(&table, crowded);
	htab_each(&table, visit, NULL);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(things[i].seen, 1);
	htab_free(&table);
	fill(&table, spread);
	htab_each(&table, visit, &table);
	assert_int_equal(table.count, 0);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(things[i].seen, 1);
	htab_free(&table);
}

static void test_mix(void **state)
{
	uint64_t buckets = 0;

	(void)state;
	assert_int_not_equal(htab_mix(0, 1), htab_mix(0, 2));
	assert_int_not_equal(htab_mix(1, 1), htab_mix(2, 1));
	/* IPv6 neighbours differ in the last byte of an address, the highest of
	 * a word, and must not all come into one bucket of 64, whatever the
	 * key of this run is. */
	for (uint64_t i = 0; i < 64; i++)
		buckets |= 1ull << (htab_mix(htab_mix(0, i << 56), 6) & 63);
	assert_true(__builtin_popcountll(buckets) > 16);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_find_all), cmocka_unit_test(test_same_hash),
	cmocka_unit_test(test_remove),   cmocka_unit_test(test_each),
	cmocka_unit_test(test_mix),
};

RUN("htab", tests)
