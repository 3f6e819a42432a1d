/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * misses.h - what the program on_probe_file writes for each open file of this
 * process; for one that is no kprobe's perf event the numbers mean nothing.
 */
#ifndef DEMUX_MISSES_H
#define DEMUX_MISSES_H

#include <linux/types.h>

struct demux_misses {
	__u64 hits; /* calls that reached it, its program ran or not; 0: unknown */
	__u64 missed; /* calls while another kprobe ran on that CPU */
	__u32 no_instance; /* returns that were not followed, for lack of room */
	__s32 fd;
};

#endif
