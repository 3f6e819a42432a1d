// SPDX-License-Identifier: GPL-2.0-only
/* test_json.c - user/json.c: any bytes become a valid string. */
#include "test.h"

#include "json.h"

static char written[1000];

/* What json_string() makes of @bytes. */
static const char *string(const char *bytes)
{
	char path[32];
	struct out out;
	size_t len;

	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	json_string(&out, bytes);
	out_end(&out);
	assert_int_equal(out_close(&out), 0);
	len = read_file(path, written, sizeof(written) - 1);
	written[len] = '\0';
	unlink(path);
	return written;
}

static void test_plain(void **state)
{
	(void)state;
	assert_string_equal(string(""), "\"\"");
	assert_string_equal(string("nginx: worker"), "\"nginx: worker\"");
	assert_string_equal(string("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
}

static void test_control(void **state)
{
	(void)state;
	assert_string_equal(string("\033[31m"), "\"\\u001b[31m\"");
	assert_string_equal(string("\001\037\n\t\x7f"),
			    "\"\\u0001\\u001f\\u000a\\u0009\\u007f\"");
	assert_string_equal(string(" ~"), "\" ~\"");
}

/* U+009B is ESC [ to a terminal: in JSON it comes as an escape too. */
static void test_c1_control(void **state)
{
	(void)state;
	assert_string_equal(string("\xc2\x9b"
				   "31m"),
			    "\"\\u009b31m\"");
	assert_string_equal(string("\xc2\x80\xc2\x9f\xc2\xa0"),
			    "\"\\u0080\\u009f\xc2\xa0\"");
}

static void test_utf8(void **state)
{
	static const char *const good[] = {
		"\xc3\xa4",         "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\xed\x9f\xbf",     "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf4\x8f\xbf\xbf", "\xe0\xa0\x80", "\xf0\x90\x80\x80",
	};
	char expected[20];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(expected, sizeof(expected), "\"%s\"", good[i]);
		assert_string_equal(string(good[i]), expected);
	}
}

static void test_not_utf8(void **state)
{
	static const struct {
		const char *bytes;
		int bad; /* how many U+FFFD come of it */
	} cases[] = {
		{ "\x80", 1 },
		{ "\xff", 1 },
		{ "\xc3", 1 },
		{ "\xe2\x82", 2 },
		{ "\xf0\x9f\x98", 3 },
		{ "\xc0\x80", 2 },
		{ "\xc1\xbf", 2 },
		{ "\xe0\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 3 },
		{ "\xf0\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 4 },
		{ "\xf8\x88\x80\x80\x80", 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[60] = "\"";

		for (int bad = 0; bad < cases[i].bad; bad++)
			strcat(expected, "\\ufffd");
		strcat(expected, "\"");
		assert_string_equal(string(cases[i].bytes), expected);
	}
	/* What follows a bad byte is not swallowed. */
	assert_string_equal(string("\xe2\"x"), "\"\\ufffd\\\"x\"");
}

static void test_key(void **state)
{
	char path[32];
	struct out out;
	bool first = true;
	size_t len;

	(void)state;
	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	json_key(&out, "a", &first);
	assert_false(first);
	json_key(&out, "b", &first);
	out_end(&out);
	out_close(&out);
	len = read_file(path, written, sizeof(written) - 1);
	written[len] = '\0';
	assert_string_equal(written, "\"a\":,\"b\":");
	unlink(path);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_plain),      cmocka_unit_test(test_control),
	cmocka_unit_test(test_c1_control), cmocka_unit_test(test_utf8),
	cmocka_unit_test(test_not_utf8),   cmocka_unit_test(test_key),
};

RUN("json", tests)
