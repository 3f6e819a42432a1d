// SPDX-License-Identifier: GPL-2.0-only
/* test_log.c - user/log.c: words on stderr, with nothing hidden in them. */
#include "test.h"

#include "log.h"

static void test_prefix(void **state)
{
	struct capture capture = capture_begin(STDERR_FILENO);

	(void)state;
	log_verbose = 0;
	log_error("one %d", 1);
	log_warn("two");
	log_info("hidden");
	log_line("tracing %s", "x");
	log_verbose = 1;
	log_info("three");
	log_verbose = 0;
	assert_string_equal(capture_end(&capture),
			    "sockdemux-trace: one 1\n"
			    "sockdemux-trace: warning: two\n"
			    "tracing x\n"
			    "sockdemux-trace: three\n");
}

static void test_hostile(void **state)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	char *many = calloc(1, 100001);

	(void)state;
	log_error("cannot read '%s'", "a\033]0;evil\007\x9b\xff");
	memset(many, '\033', 100000);
	log_line("%s", many);
	free(many);
	{
		const char *text = capture_end(&capture);

		assert_contains(text, "'a\\x1b]0;evil\\x07\\x9b\\xff'");
		assert_lacks(text, "\033");
		assert_lacks(text, "\007");
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_prefix),
	cmocka_unit_test(test_hostile),
};

RUN("log", tests)
