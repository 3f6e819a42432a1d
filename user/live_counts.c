// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_counts.c - what the kernel half has counted, and what the kernel itself
 * has counted and no hook saw. Part of the live source.
 */
#include "live_counts.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "backend_misses.h"

/* What the kernel has counted reaches the hooks within microseconds. */
#define COUNTED_MS 20

/* What a cell begins with. */
#define COUNTERS_LEN \
	(sizeof(struct demux_counters) + sizeof(struct demux_datagram_counters))

void live_counts_init(struct live_counts *counts)
{
	*counts = (struct live_counts){ .in_segs.fd = -1 };
}

int live_counts_map(struct live_counts *counts, struct backend_trace *trace)
{
	int fd = backend_map(trace, "cells", &counts->cell_size);
	void *cells;

	counts->cells_size = counts->cell_size * libbpf_num_possible_cpus();
	cells = mmap(NULL, counts->cells_size, PROT_READ, MAP_SHARED, fd, 0);
	if (cells == MAP_FAILED)
		return -errno;
	counts->cells = cells;
	return 0;
}

void live_counts_close(struct live_counts *counts)
{
	if (counts->in_segs.fd >= 0)
		close(counts->in_segs.fd);
	if (counts->cells)
		munmap((void *)counts->cells, counts->cells_size);
}

static void sum_counters(const struct live_counts *counts,
			 struct demux_end *end)
{
	/* The two kinds of counters are in a cell as in the last record, but
	 * for what is counted up here. */
	size_t count = sizeof(end->counters) / sizeof(__u64);
	size_t more = sizeof(end->datagrams) / sizeof(__u64);
	__u64 *to = (__u64 *)&end->counters;
	__u64 *other = (__u64 *)&end->datagrams;

	for (size_t at = 0; at < counts->cells_size; at += counts->cell_size) {
		const __u64 *cell = (const void *)(counts->cells + at);

		for (size_t i = 0; i < count; i++)
			to[i] += cell[i];
		for (size_t i = 0; i < more; i++)
			other[i] += cell[count + i];
	}
}

/* What was seen is read before the calls are, for each is counted as one a moment
 * earlier. */
void live_counts_begin(struct live_counts *counts, struct backend_trace *trace)
{
	sum_counters(counts, &counts->before);
	backend_misses_open(trace);
	if ((trace->config->protos ?: DEMUX_TCP) & DEMUX_TCP)
		kernel_segments_begin(&counts->in_segs);
}

/* Nothing begins any more, but with kprobes; what is under way takes microseconds. */
static void wait_for_flights(const struct live_counts *counts)
{
	for (int ms = 0; ms < 50; ms++) {
		uint32_t open = 0;

		for (size_t at = 0; at < counts->cells_size;
		     at += counts->cell_size) {
			/* They come right after the counters: see bpf/maps.h. */
			const volatile uint32_t *in_cell =
				(const void *)(counts->cells + at +
					       COUNTERS_LEN);

			open += in_cell[0] + in_cell[1];
		}
		if (!open)
			break;
		poll(NULL, 0, 1);
	}
}

static uint64_t larger(uint64_t one, uint64_t other)
{
	return one > other ? one : other;
}

/* How many the kernel has counted that no hook saw. */
static uint64_t beyond(uint64_t counted, uint64_t seen)
{
	return counted > seen ? counted - seen : 0;
}

struct gap {
	uint64_t segments, datagrams;
};

/* The kernel's counters of segments, which have grown by @grown, and with kprobes
 * those of the receive functions' calls, are the judges of what all hooks together
 * saw, and knowingly missed. Of what was seen while hooks were being attached they
 * know nothing, and a segment that the kernel counts may have been seen then. */
static struct gap find_gap(const struct live_counts *counts,
			   const struct backend_misses *misses, uint64_t grown)
{
	const struct demux_end *before = &counts->before;
	struct demux_end now = { 0 };
	uint64_t seen, more, uncalled;

	sum_counters(counts, &now);
	seen = now.counters.seen + misses->segments;
	more = beyond(grown, seen);
	uncalled = beyond(misses->segment_calls,
			  seen - before->counters.seen + now.counters.not_host -
				  before->counters.not_host);
	return (struct gap){
		.segments = larger(more, uncalled),
		.datagrams =
			beyond(misses->datagram_calls,
			       now.datagrams.seen - before->datagrams.seen +
				       misses->datagrams),
	};
}

/* A call is counted a moment before it is seen: what is missing has some time to
 * come. But no CPU has more than one such call, so nothing that comes meanwhile hides
 * more: @seen were there when @grown was read, and the calls were read just now. */
static struct gap wait_for_gap(const struct live_counts *counts,
			       const struct backend_misses *misses,
			       uint64_t grown, uint64_t seen)
{
	struct gap first = find_gap(counts, misses, grown), gap = first;
	uint64_t missing = beyond(grown, seen + misses->segments);
	uint64_t cpus = counts->cells_size / counts->cell_size;

	for (int ms = 0; ms < COUNTED_MS && (gap.segments || gap.datagrams);
	     ms++) {
		poll(NULL, 0, 1);
		gap = find_gap(counts, misses, grown);
	}
	missing = larger(missing, first.segments);
	gap.segments = larger(gap.segments, beyond(missing, cpus));
	gap.datagrams = larger(gap.datagrams, beyond(first.datagrams, cpus));
	return gap;
}

void live_counts_stop(struct live_counts *counts, struct backend_trace *trace)
{
	uint64_t grown = kernel_segments_grown(&counts->in_segs);
	struct demux_end then = { 0 };
	struct backend_misses misses;
	struct gap gap;

	sum_counters(counts, &then);
	if (grown)
		poll(NULL, 0, COUNTED_MS);
	backend_end_segments(trace);
	wait_for_flights(counts);
	misses = backend_misses(trace);
	gap = wait_for_gap(counts, &misses, grown, then.counters.seen);
	counts->doubts = misses.doubts;
	counts->unseen_segments = misses.segments + gap.segments;
	counts->unseen_datagrams = misses.datagrams + gap.datagrams;
}

void live_counts_tell(const struct live_counts *counts, struct demux_end *end)
{
	sum_counters(counts, end);
	end->counters.stuck += counts->doubts;
	end->unseen = counts->unseen_segments;
	end->datagrams.unseen = counts->unseen_datagrams;
}
