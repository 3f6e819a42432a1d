/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_segments.h - how many segments the kernel itself has counted in this
 * process's network namespace (Tcp: InSegs of /proc/net/snmp, IPv6 too): the judge of
 * what the hooks saw. Knows no stage.
 */
#ifndef KERNEL_SEGMENTS_H
#define KERNEL_SEGMENTS_H

#include <stdint.h>

struct kernel_segments {
	int fd; /* of the file, not yet read; -1: unknown */
	uint64_t before;
};

/* Counts from here. kernel_segments_grown() opens nothing any more. */
void kernel_segments_begin(struct kernel_segments *segments);
/* 0 where that is not known; once only. */
uint64_t kernel_segments_grown(struct kernel_segments *segments);

#endif
