// SPDX-License-Identifier: GPL-2.0-only
/* test_clock.c - user/clock.c: monotonic time as the time of day. */
#include "test.h"

#include <time.h>

#include "clock.h"

#define S 1000000000ll

static void test_rfc3339(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_rfc3339(text, 0, 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000000000Z");
	clock_rfc3339(text, 123456789, 1763800000 * S);
	assert_string_equal(text, "2025-11-22T08:26:40.123456789Z");
	/* The same second again, and then another: the text is remembered. */
	clock_rfc3339(text, 123456790, 1763800000 * S);
	assert_string_equal(text, "2025-11-22T08:26:40.123456790Z");
	clock_rfc3339(text, S, 1763800000 * S);
	assert_string_equal(text, "2025-11-22T08:26:41.000000000Z");
	/* A negative offset. */
	clock_rfc3339(text, 10 * S + 5, -9 * S);
	assert_string_equal(text, "1970-01-01T00:00:01.000000005Z");
}

static void test_short(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	setenv("TZ", "UTC-3", 1); /* three hours east */
	tzset();
	clock_short(text, 123456789, 1763800000 * S);
	assert_string_equal(text, "11:26:40.123456");
	clock_short(text, 999999999, 1763800000 * S);
	assert_string_equal(text, "11:26:40.999999");
	clock_rfc3339(text, 0, 1763800000 * S);
	assert_string_equal(text, "2025-11-22T08:26:40.000000000Z");
}

/* A damaged recording may say any time. */
static void test_any_time(void **state)
{
	static const uint64_t mono[] = { 0, 1, INT64_MAX, UINT64_MAX };
	static const int64_t offset[] = { 0, -1, INT64_MIN, INT64_MAX };
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (int i = 0; i < 16; i++) {
		clock_rfc3339(text, mono[i / 4], offset[i % 4]);
		assert_int_equal(strlen(text), 30);
		assert_int_equal(strspn(text, "0123456789-T:.Z"), 30);
		clock_short(text, mono[i / 4], offset[i % 4]);
		assert_int_equal(strlen(text), 15);
		assert_int_equal(strspn(text, "0123456789:."), 15);
	}
}

static void test_now(void **state)
{
	uint64_t before = clock_mono_ns(), after;
	int64_t offset = clock_offset_ns();
	time_t now = time(NULL);

	(void)state;
	after = clock_mono_ns();
	assert_true(before > 0 && after >= before && after - before < 5 * S);
	assert_true(llabs((int64_t)after + offset - now * S) < 2 * S);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rfc3339),
	cmocka_unit_test(test_short),
	cmocka_unit_test(test_any_time),
	cmocka_unit_test(test_now),
};

RUN("clock", tests)
