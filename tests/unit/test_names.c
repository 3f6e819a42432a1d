// SPDX-License-Identifier: GPL-2.0-only
/* test_names.c - user/names.c: numbers and bytes as texts. */
#include "test.h"

#include "names.h"

static void test_enums(void **state)
{
	static const char *const outcomes[] = {
		NULL,        "established", "listener", "request",
		"time_wait", "none",        "refused",  "malformed",
	};

	(void)state;
	assert_null(names_outcome(0));
	for (int i = 1; i <= DEMUX_MALFORMED; i++)
		assert_string_equal(names_outcome(i), outcomes[i]);
	assert_null(names_outcome(DEMUX_MALFORMED + 1));
	assert_null(names_outcome(-1));
	assert_null(names_via(0));
	assert_string_equal(names_via(DEMUX_EARLY_DEMUX), "early_demux");
	assert_string_equal(names_via(DEMUX_LOOKUP), "lookup");
	assert_string_equal(names_via(DEMUX_ASSIGNED), "assigned");
	assert_null(names_via(DEMUX_ASSIGNED + 1));
}

static void test_state(void **state)
{
	(void)state;
	assert_null(names_state(0));
	assert_string_equal(names_state(1), "ESTABLISHED");
	assert_string_equal(names_state(S_TIME_WAIT), "TIME_WAIT");
	assert_string_equal(names_state(S_CLOSE), "CLOSE");
	assert_string_equal(names_state(S_LISTEN), "LISTEN");
	assert_string_equal(names_state(S_NEW_SYN_RECV), "NEW_SYN_RECV");
	assert_null(names_state(200));
}

static void test_flags(void **state)
{
	char text[NAMES_FLAGS_MAX];

	(void)state;
	names_flags(text, 0);
	assert_string_equal(text, "");
	names_flags(text, F_SYN);
	assert_string_equal(text, "SYN");
	names_flags(text, F_SYN | F_ACK);
	assert_string_equal(text, "SYN|ACK");
	names_flags(text, F_FIN | F_PSH | F_ACK);
	assert_string_equal(text, "FIN|PSH|ACK");
	names_flags(text, 0xffff);
	assert_string_equal(text, "SYN|FIN|RST|PSH|ACK|URG|ECE|CWR|AE");
}

static void test_addr(void **state)
{
	static const char *const addrs[] = {
		"0.0.0.0",
		"255.255.255.255",
		"10.9.99.100",
		"192.168.1.5",
		"::",
		"::1",
		"::ffff:10.0.0.1",
		"fd00:1:2:3:4:5:6:7",
	};
	char text[NAMES_ADDR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		struct demux_ends ends = make_ends(addrs[i], 0, "0.0.0.0", 0);

		names_addr(text, ends.laddr, ends.family);
		assert_string_equal(text, addrs[i]);
	}
}

static void test_printable(void **state)
{
	char *text = names_printable("a\033[31m\x7f\xff\n\\b");

	(void)state;
	assert_string_equal(text, "a\\x1b[31m\\x7f\\xff\n\\b");
	free(text);
	text = names_printable("");
	assert_string_equal(text, "");
	free(text);
}

static void test_escape(void **state)
{
	static const char evil[] = "a\033]0;x\007\n\\\x80~";
	char text[100], small[7];

	(void)state;
	names_escape(text, sizeof(text), evil, sizeof(evil));
	assert_string_equal(text, "a\\x1b]0;x\\x07\\x0a\\x5c\\x80~");
	names_escape(text, sizeof(text), "abc", 2);
	assert_string_equal(text, "ab");
	/* Cut before an escape that does not fit, never in the middle of it. */
	memset(small, 'z', sizeof(small));
	names_escape(small, sizeof(small), "ab\033\033", 4);
	assert_string_equal(small, "ab\\x1b");
	names_escape(small, sizeof(small) - 1, "ab\033\033", 4);
	assert_string_equal(small, "ab");
}

static void test_number(void **state)
{
	static const struct {
		uint64_t number;
		const char *text;
	} known[] = {
		{ 0, "0" },
		{ 9, "9" },
		{ 10, "10" },
		{ 99, "99" },
		{ 100, "100" },
		{ 65535, "65535" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char text[NAMES_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char *end = names_number(text, known[i].number);

		assert_string_equal(text, known[i].text);
		assert_ptr_equal(end, text + strlen(text));
	}
}

static void test_predicted(void **state)
{
	char text[NAMES_PREDICTED_MAX];

	(void)state;
	names_predicted(text, 0);
	assert_string_equal(text, "");
	names_predicted(text, DEMUX_PREDICTED_SOCK);
	assert_string_equal(text, "sock");
	names_predicted(text, 0xff);
	assert_string_equal(text, "outcome|sock|parent|via");
	assert_true(strlen(text) < sizeof(text));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_predicted), cmocka_unit_test(test_number),
	cmocka_unit_test(test_enums),     cmocka_unit_test(test_state),
	cmocka_unit_test(test_flags),     cmocka_unit_test(test_addr),
	cmocka_unit_test(test_printable), cmocka_unit_test(test_escape),
};

RUN("names", tests)
