/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recording.h - the head of a recording. After it come the records of
 * bpf/event.h, byte for byte as the kernel half made them, and struct demux_end
 * as the last: a recording without that one was cut.
 *
 * A live source has the same head, so what follows cannot tell the two apart.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <stdint.h>

#include "event.h"

#define RECORDING_MAGIC "sockdmx\n"
#define RECORDING_ORDER 0x01020304u /* reads as 0x04030201 on other machines */

struct recording_head {
	char magic[8];
	uint32_t order; /* RECORDING_ORDER */
	uint16_t abi; /* DEMUX_ABI */
	uint16_t len; /* of this head; records start there */
	int64_t clock_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	char kernel[64]; /* uname -r, ends with a NUL */
	char backend[16];
	char missing[160]; /* hooks that the proof needs and that were not
			      there, separated by spaces */
	char coverage[160]; /* all hooks that were not there, likewise */
	char observed[160]; /* what this backend cannot see or only predicts on
			       this kernel, in words; empty: it sees all */
};

DEMUX_ASSERT(sizeof(struct recording_head) == 584);

/* Fills it for a trace of this machine that begins now; it has no backend yet. */
void recording_begin(struct recording_head *head);

#endif
