// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock.c - the kernel's monotonic time as the time of day. Knows no stage.
 */
#include "clock.h"

#include <time.h>

#define NS_PER_S 1000000000ll

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

/* The smallest of several differences is the one least disturbed. */
int64_t clock_offset_ns(void)
{
	int64_t best = 0;

	for (int i = 0; i < 8; i++) {
		uint64_t before = now_ns(CLOCK_MONOTONIC);
		int64_t offset = now_ns(CLOCK_REALTIME) - before;

		if (!i || offset < best)
			best = offset;
	}
	return best;
}

static char *put_digits(char *to, uint64_t number, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		to[i] = '0' + number % 10;
		number /= 10;
	}
	return to + digits;
}

/* Most events are of the same second as the one before. */
static const char *second_text(time_t second, char text[CLOCK_TEXT_MAX],
			       time_t *known, const char *format,
			       struct tm *(*break_down)(const time_t *,
							struct tm *))
{
	struct tm broken;

	if (second != *known || !text[0]) {
		break_down(&second, &broken);
		strftime(text, CLOCK_TEXT_MAX, format, &broken);
		*known = second;
	}
	return text;
}

/* A damaged recording may add up to any time; not before 1970, then. */
static int64_t add_times(uint64_t mono_ns, int64_t offset_ns)
{
	int64_t ns = mono_ns + (uint64_t)offset_ns;

	return ns < 0 ? 0 : ns;
}

void clock_rfc3339(char to[CLOCK_TEXT_MAX], uint64_t mono_ns, int64_t offset_ns)
{
	static char text[CLOCK_TEXT_MAX];
	static time_t known;
	int64_t ns = add_times(mono_ns, offset_ns);
	const char *from = second_text(ns / NS_PER_S, text, &known,
				       "%Y-%m-%dT%H:%M:%S", gmtime_r);

	while (*from)
		*to++ = *from++;
	*to++ = '.';
	to = put_digits(to, ns % NS_PER_S, 9);
	*to++ = 'Z';
	*to = '\0';
}

void clock_short(char to[CLOCK_TEXT_MAX], uint64_t mono_ns, int64_t offset_ns)
{
	static char text[CLOCK_TEXT_MAX];
	static time_t known;
	int64_t ns = add_times(mono_ns, offset_ns);
	const char *from = second_text(ns / NS_PER_S, text, &known, "%H:%M:%S",
				       localtime_r);

	while (*from)
		*to++ = *from++;
	*to++ = '.';
	to = put_digits(to, ns % NS_PER_S / 1000, 6);
	*to = '\0';
}
