/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * live_counts.h - what the kernel half has counted, one cell per CPU, and its
 * judges: what the kernel itself has counted. Part of the live source.
 */
#ifndef LIVE_COUNTS_H
#define LIVE_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "event_udp.h"
#include "kernel_segments.h"

struct backend_trace;

struct live_counts {
	const char *cells; /* the map, one struct cell per CPU */
	size_t cell_size, cells_size;
	struct kernel_segments in_segs; /* since the hooks are there */
	struct demux_end before; /* what was counted when that began */
	/* What live_counts_stop() found. */
	uint64_t doubts, unseen_segments, unseen_datagrams;
};

void live_counts_init(struct live_counts *counts);
void live_counts_close(struct live_counts *counts);

/* From then on they are read without any privilege. 0 or -errno. */
int live_counts_map(struct live_counts *counts, struct backend_trace *trace);

/* The hooks are there: from now on the judges count. */
void live_counts_begin(struct live_counts *counts, struct backend_trace *trace);

/* Ends the tracing of segments, and finds out how many were not seen. */
void live_counts_stop(struct live_counts *counts, struct backend_trace *trace);

/* Fills in the counters of @end, which are 0; after live_counts_stop(). */
void live_counts_tell(const struct live_counts *counts, struct demux_end *end);

#endif
