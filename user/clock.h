/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - the kernel's monotonic time as the time of day. Knows no stage.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ns(void);

/* CLOCK_REALTIME - CLOCK_MONOTONIC, as it is now. */
int64_t clock_offset_ns(void);

#define CLOCK_TEXT_MAX 40
/* RFC 3339 in UTC: 2026-11-22T08:19:00.123456789Z. */
void clock_rfc3339(char to[CLOCK_TEXT_MAX], uint64_t mono_ns,
		   int64_t offset_ns);
/* Local time of day: 08:19:00.123456. */
void clock_short(char to[CLOCK_TEXT_MAX], uint64_t mono_ns, int64_t offset_ns);

#endif
