// SPDX-License-Identifier: GPL-2.0-only
/* test_filter.c - bpf/filter.h: is it wanted? */
#include "test.h"

#include "filter.h"

static void test_port(void **state)
{
	static const uint16_t on[] = { 1, 80, 87, 88, 65535 };
	static struct demux_config wanted;
	unsigned int hits = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		wanted.ports[on[i] / 8] |= 1 << on[i] % 8;
	for (unsigned int port = 0; port < 65536; port++)
		hits += !!filter_port(&wanted, port);
	assert_int_equal(hits, sizeof(on) / sizeof(on[0]));
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		assert_true(filter_port(&wanted, on[i]));
	wanted.any_port = 1;
	assert_true(filter_port(&wanted, 2));
}

static void test_family(void **state)
{
	struct demux_config wanted = { .families = DEMUX_IPV4 };

	(void)state;
	assert_true(filter_family(&wanted, 4));
	assert_false(filter_family(&wanted, 6));
	wanted.families = DEMUX_IPV6;
	assert_false(filter_family(&wanted, 4));
	assert_true(filter_family(&wanted, 6));
	wanted.families = DEMUX_IPV4 | DEMUX_IPV6;
	assert_true(filter_family(&wanted, 4));
	assert_true(filter_family(&wanted, 6));
}

static void test_netns(void **state)
{
	struct demux_config wanted = { .netns = 0 };

	(void)state;
	assert_true(filter_netns(&wanted, 7));
	wanted.netns = 7;
	assert_true(filter_netns(&wanted, 7));
	assert_false(filter_netns(&wanted, 8));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_port),
	cmocka_unit_test(test_family),
	cmocka_unit_test(test_netns),
};

RUN("filter", tests)
