// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_parse.c - user/parse.c: texts and the numbers that they become. What
 * test_options.c sees through the command line is not said again here.
 */
#include "test.h"

#include "parse.h"

static void test_number(void **state)
{
	static const char *const wrong[] = {
		"",
		"-1",
		"+1",
		" 1",
		"1 ",
		"0x1",
		"1.0",
		"9",
		"21",
		"one",
		"18446744073709551626", /* 10 more than fit */
	};
	uint64_t number = 0;

	(void)state;
	assert_true(parse_number("10", 10, 20, &number));
	assert_int_equal(number, 10);
	assert_true(parse_number("0020", 10, 20, &number));
	assert_int_equal(number, 20);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parse_number(wrong[i], 10, 20, &number))
			fail_msg("'%s' is taken for %d", wrong[i], (int)number);
}

/* FAMILY ADDR/BITS:PORT, or why not. */
static const char *remote(const char *text)
{
	static char found[PARSE_WHY_MAX + 20];
	struct demux_config wanted = { 0 }, none = { 0 };
	char addr[INET6_ADDRSTRLEN] = "-", why[PARSE_WHY_MAX];

	if (!parse_remote(text, &wanted, why)) {
		assert_memory_equal(&wanted, &none, sizeof(wanted));
		snprintf(found, sizeof(found), "%s", why);
		return found;
	}
	if (wanted.remote_family)
		inet_ntop(wanted.remote_family == 4 ? AF_INET : AF_INET6,
			  wanted.remote, addr, sizeof(addr));
	for (int i = wanted.remote_family == 4 ? 4 : 16; i < 16; i++)
		assert_int_equal(wanted.remote[i], 0);
	snprintf(found, sizeof(found), "%u %s/%u:%u", wanted.remote_family,
		 addr, wanted.remote_bits, wanted.remote_port);
	return found;
}

static void test_remote(void **state)
{
	static const char *const cases[][2] = {
		{ "10.1.2.3", "4 10.1.2.3/32:0" },
		{ "10.1.2.3:443", "4 10.1.2.3/32:443" },
		{ "10.0.0.0/8", "4 10.0.0.0/8:0" },
		{ "10.0.0.0/8:443", "4 10.0.0.0/8:443" },
		{ "10.1.2.3/32", "4 10.1.2.3/32:0" },
		{ "0.0.0.0/0", "4 0.0.0.0/0:0" },
		{ ":443", "0 -/0:443" },
		{ "*:65535", "0 -/0:65535" },
		{ "2001:db8::1", "6 2001:db8::1/128:0" },
		{ "[2001:db8::1]", "6 2001:db8::1/128:0" },
		{ "[2001:db8::1]:443", "6 2001:db8::1/128:443" },
		{ "2001:db8::/32", "6 2001:db8::/32:0" },
		{ "2001:db8::/32:443", "6 2001:db8::/32:443" },
		{ "[2001:db8::]/32", "6 2001:db8::/32:0" },
		{ "[2001:db8::]/32:443", "6 2001:db8::/32:443" },
		{ "2001:db8::/33", "6 2001:db8::/33:0" },
		{ "2001:db8:8000::/33", "6 2001:db8:8000::/33:0" },
		/* An address, and no port: for that there are brackets. */
		{ "2001:db8::1:443", "6 2001:db8::1:443/128:0" },
		{ "::", "6 ::/128:0" },
		{ "::/0", "6 ::/0:0" },
		{ "::ffff:10.1.2.3", "4 10.1.2.3/32:0" },
		{ "[::ffff:10.1.2.3]:443", "4 10.1.2.3/32:443" },
		{ "::ffff:10.0.0.0/104", "4 10.0.0.0/8:0" },
		{ "::ffff:0:0/96", "4 0.0.0.0/0:0" },
		{ "::fffe:0:0/95", "6 ::fffe:0:0/95:0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(remote(cases[i][0]), cases[i][1]);
}

static void test_no_remote(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		"*",
		"/8",
		"*/8",
		"*/0:443",
		"10",
		"10/8",
		"10.1.2",
		"10.1.2.3:",
		"10.1.2.3:0",
		"10.1.2.3:65536",
		"10.1.2.3:http",
		"10.1.2.3:443:443",
		"10.1.2.3/",
		"10.1.2.3/33",
		"10.1.2.3/-1",
		"10.0.0.0/8/8",
		"10.0.0.0/8:",
		"10.0.0.0/255.0.0.0",
		"10.1.2.3 ",
		" 10.1.2.3",
		"10.1.2.256",
		"010.1.2.3",
		"localhost",
		"localhost:443",
		"2001:db8::/129",
		"2001:db8",
		"[2001:db8::1",
		"[2001:db8::1]443",
		"[2001:db8::1]:",
		"2001:db8::1]",
		"[]:443",
		"[*]:443",
		"[10.1.2.3]:443",
		"fe80::1%lo",
		"[2001:db8::/32]:443",
		"::1::",
		"11111111111111111111111111111111111111111111111111111111",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_contains(remote(wrong[i]), "it must be as 192.0.2.7");
}

/* Most likely one of the two is a mistake; which, is not guessed. */
static void test_bits_below_prefix(void **state)
{
	static const char *const cases[][2] = {
		{ "10.1.2.3/8", "that network is 10.0.0.0/8" },
		{ "10.1.2.3/31:443", "that network is 10.1.2.2/31" },
		{ "10.1.2.3/0", "that network is 0.0.0.0/0" },
		{ "2001:db8::1/32", "that network is 2001:db8::/32" },
		{ "2001:db8::1/127", "that network is 2001:db8::/127" },
		{ "::ffff:10.1.2.3/112", "that network is 10.1.0.0/16" },
		{ "::ffff:10.1.2.3/95", "that network is ::fffe:0:0/95" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_contains(remote(cases[i][0]), cases[i][1]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_number),
	cmocka_unit_test(test_remote),
	cmocka_unit_test(test_no_remote),
	cmocka_unit_test(test_bits_below_prefix),
};

RUN("parse", tests)
