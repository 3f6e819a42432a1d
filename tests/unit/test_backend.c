// SPDX-License-Identifier: GPL-2.0-only
/* test_backend.c - the tables of hooks, and what surrounds them. */
#include "test.h"

#include <string.h>

#include "backend.h"
#include "kernel_symbols.h"
#include "mounts.h"

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; backends[i]; i++) {
		assert_true(backend_exists(backends[i]->name));
		assert_non_null(strstr(backend_names(), backends[i]->name));
	}
	assert_false(backend_exists("fent"));
	assert_false(backend_exists(""));
}

/* What begins a segment is attached last, and there is room for all. */
static void test_tables(void **state)
{
	(void)state;
	for (int i = 0; backends[i]; i++) {
		const struct hook *hook = backends[i]->hooks;
		bool begun = false;
		int count = 0;

		for (; hook->program; hook++, count++) {
			assert_false(begun && !hook->begins);
			begun |= hook->begins;
			assert_non_null(hook->symbol);
			assert_non_null(hook->gives);
			if (hook->begins)
				assert_int_equal(hook->need, HOOK_NEEDED);
		}
		assert_true(begun);
		assert_true(count <= BACKEND_HOOKS_MAX);
	}
}

static void test_without(void **state)
{
	(void)state;
	assert_true(backend_is_without("tcp_v4_rcv", "tcp_v4_rcv"));
	assert_true(backend_is_without("a,tcp_v4_rcv,b", "tcp_v4_rcv"));
	assert_true(backend_is_without("xtcp_v4_rcv,tcp_v4_rcv", "tcp_v4_rcv"));
	assert_false(backend_is_without("tcp_v4_rcv_x", "tcp_v4_rcv"));
	assert_false(backend_is_without("xtcp_v4_rcv", "tcp_v4_rcv"));
	assert_false(backend_is_without("", "tcp_v4_rcv"));
	assert_false(backend_is_without(NULL, "tcp_v4_rcv"));
}

static void test_symbols(void **state)
{
	static const char *const names[] = { "tcp_v4_rcv", "no_such_function" };
	struct demux_range ranges[4];
	uint64_t begins[2];
	int count = kernel_symbols_ranges(names, 2, ranges, 4);

	(void)state;
	if (!count)
		skip(); /* kallsyms shows no addresses, to an ordinary user */
	for (int i = 0; i < count; i++) {
		assert_true(ranges[i].begin < ranges[i].end);
		assert_true(ranges[i].end - ranges[i].begin < 1 << 20);
	}
	assert_int_equal(kernel_symbols_ranges(names + 1, 1, ranges, 4), 0);
	kernel_symbols_find(names, 2, begins);
	assert_int_equal(begins[0], ranges[0].begin);
	assert_int_equal(begins[1], 0);
}

static void test_mounts(void **state)
{
	char path[256];

	(void)state;
	assert_true(mounts_find("proc", path, sizeof(path)));
	assert_string_equal(path, "/proc");
	assert_false(mounts_find("proc", path, 5));
	assert_false(mounts_find("nosuchfs", path, sizeof(path)));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_names),   cmocka_unit_test(test_tables),
	cmocka_unit_test(test_without), cmocka_unit_test(test_symbols),
	cmocka_unit_test(test_mounts),
};

RUN("backend", tests)
