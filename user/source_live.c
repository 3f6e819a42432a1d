// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_live.c - records from the running kernel's ring buffer. First stage
 * of the user half.
 */
#include "source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "backend_misses.h"
#include "clock.h"
#include "kernel_segments.h"
#include "live_accepts.h"
#include "log.h"
#include "snapshot.h"

/* So much a round, so that signals and timers get their turn. */
#define RECORDS_PER_ROUND 100000

/* What the kernel has counted reaches the hooks within microseconds. */
#define COUNTED_MS 20

/* What a cell begins with. */
#define COUNTERS_LEN \
	(sizeof(struct demux_counters) + sizeof(struct demux_datagram_counters))

struct live {
	struct source source;
	struct backend_trace *trace;
	struct ring_buffer *ring;
	const char *without; /* of the wish */
	struct snapshot *snapshot; /* what was there before; NULL: nothing */
	struct live_accepts accepts; /* that wait for their descriptors */
	const char *cells; /* the map, one struct cell per CPU */
	size_t cell_size, cells_size;
	struct kernel_segments in_segs; /* since the hooks are there */
	struct demux_end before; /* what was counted when that began */
	source_take take; /* of the round that is under way */
	void *context;
	bool enough; /* take() wants no more of this round */
	unsigned int left; /* of this round */
};

/* Hands on the sockets of before that were read up to then. */
static void take_before(struct live *live, uint64_t until_ns)
{
	const struct demux_accept *was;

	while (!live->enough && live->snapshot &&
	       (was = snapshot_next(live->snapshot, until_ns)))
		live->enough = live->take(live->context, was, was->head.len);
}

/* The number of its drop reason, BACKEND_REASONS_MAX where it has none. */
static uint32_t reason_of(const struct demux_head *head)
{
	const struct demux_segment *seg = (const void *)head;
	const struct demux_datagram *datagram = (const void *)head;
	uint32_t reason = BACKEND_REASONS_MAX;

	if (head->type == DEMUX_SEGMENT && seg->have & DEMUX_HAVE_REASON)
		reason = seg->drop_reason;
	if (head->type == DEMUX_DATAGRAM && datagram->have & DEMUX_HAVE_DROP)
		reason = datagram->drop_reason;
	return reason < BACKEND_REASONS_MAX ? reason : BACKEND_REASONS_MAX;
}

/* What a drop reason is called, once, before its number. */
static void take_reason(struct live *live, const struct demux_head *head)
{
	struct demux_reason reason = {
		.head = { .type = DEMUX_REASON, .len = sizeof(reason) },
		.reason = reason_of(head),
	};
	char *name;

	if (live->enough || reason.reason == BACKEND_REASONS_MAX)
		return;
	name = live->trace->reasons[reason.reason];
	if (!name)
		return;
	live->trace->reasons[reason.reason] = NULL;
	reason.head.cpu = head->cpu;
	reason.head.mono_ns = head->mono_ns;
	strncpy(reason.name, name, sizeof(reason.name) - 1);
	free(name);
	live->enough = live->take(live->context, &reason, sizeof(reason));
}

static int on_record(void *context, void *record, size_t len)
{
	struct live *live = context;

	take_before(live, ((const struct demux_head *)record)->mono_ns);
	take_reason(live, record);
	if (live->enough)
		return -ECANCELED;
	record = live_accepts_pass(&live->accepts, record, &len);
	if (record)
		live->enough = live->take(live->context, record, len);
	return live->enough || !--live->left ? -ECANCELED : 0;
}

/* Reads a round; live->left is 0 where there is more. */
static int consume(struct live *live, source_take take, void *context)
{
	uint64_t now_ns = clock_mono_ns();
	int err;

	live->take = take;
	live->context = context;
	live->enough = false;
	live->left = RECORDS_PER_ROUND;
	err = ring_buffer__consume(live->ring);
	if (err < 0 && err != -ECANCELED) {
		log_error("cannot read the ring buffer: %s", strerror(-err));
		return err;
	}
	live->source.has_more = !live->left;
	if (!live->enough && live->left)
		take_before(live, now_ns);
	return 0;
}

/* Hands on the accepted sockets that have waited too long for a descriptor,
 * with it where some process has it. */
static int take_waiting(struct live *live, uint64_t now_ns)
{
	struct demux_accept *accept;
	int err = 0;

	if (live_accepts_due(&live->accepts, now_ns) &&
	    backend_find_fds(live->trace))
		err = consume(live, live->take, live->context);
	while (!err && !live->enough &&
	       (accept = live_accepts_give_up(&live->accepts, now_ns)))
		live->enough =
			live->take(live->context, accept, sizeof(*accept));
	return err;
}

static int read_live(struct source *source, source_take take, void *context)
{
	struct live *live = (struct live *)source;
	int err = consume(live, take, context);

	if (!err && !live->enough)
		err = take_waiting(live, clock_mono_ns());
	return err;
}

static void sum_counters(const struct live *live, struct demux_end *end)
{
	/* The two kinds of counters are in a cell as in the last record, but
	 * for what is counted up here. */
	size_t count = sizeof(end->counters) / sizeof(__u64);
	size_t more = sizeof(end->datagrams) / sizeof(__u64);
	__u64 *to = (__u64 *)&end->counters;
	__u64 *other = (__u64 *)&end->datagrams;

	for (size_t at = 0; at < live->cells_size; at += live->cell_size) {
		const __u64 *cell = (const void *)(live->cells + at);

		for (size_t i = 0; i < count; i++)
			to[i] += cell[i];
		for (size_t i = 0; i < more; i++)
			other[i] += cell[count + i];
	}
}

/* Nothing begins any more, but with kprobes; what is under way takes microseconds. */
static void wait_for_flights(const struct live *live)
{
	for (int ms = 0; ms < 50; ms++) {
		uint32_t open = 0;

		for (size_t at = 0; at < live->cells_size;
		     at += live->cell_size) {
			/* They come right after the counters: see bpf/maps.h. */
			const volatile uint32_t *in_cell =
				(const void *)(live->cells + at + COUNTERS_LEN);

			open += in_cell[0] + in_cell[1];
		}
		if (!open)
			break;
		poll(NULL, 0, 1);
	}
}

/* How many the kernel has counted that no hook saw. */
static uint64_t beyond(uint64_t counted, uint64_t seen)
{
	return counted > seen ? counted - seen : 0;
}

/* From now on the judges of find_gap() count. What was seen is read before the
 * calls are, for each is counted as one a moment earlier. */
static void begin_counting(struct live *live)
{
	sum_counters(live, &live->before);
	backend_misses_open(live->trace);
	if ((live->trace->config->protos ?: DEMUX_TCP) & DEMUX_TCP)
		kernel_segments_begin(&live->in_segs);
}

struct gap {
	uint64_t segments, datagrams;
};

/* The kernel's counters of segments, which have grown by @grown, and with kprobes
 * those of the receive functions' calls, are the judges of what all hooks together
 * saw, and knowingly missed. Of what was seen while hooks were being attached they
 * know nothing, and a segment that the kernel counts may have been seen then. */
static struct gap find_gap(const struct live *live,
			   const struct backend_misses *misses, uint64_t grown)
{
	const struct demux_end *before = &live->before;
	struct demux_end now = { 0 };
	uint64_t seen, more, uncalled;

	sum_counters(live, &now);
	seen = now.counters.seen + misses->segments;
	more = beyond(grown, seen);
	uncalled = beyond(misses->segment_calls,
			  seen - before->counters.seen + now.counters.not_host -
				  before->counters.not_host);
	return (struct gap){
		.segments = more > uncalled ? more : uncalled,
		.datagrams =
			beyond(misses->datagram_calls,
			       now.datagrams.seen - before->datagrams.seen +
				       misses->datagrams),
	};
}

/* A call is counted a moment before it is seen, so what is missing has some time to
 * come. What is seen later, while hooks go, may hide no gap. */
static struct gap wait_for_gap(const struct live *live,
			       const struct backend_misses *misses,
			       uint64_t grown)
{
	struct gap gap;

	for (int ms = 0; ms < COUNTED_MS; ms++) {
		poll(NULL, 0, 1);
		gap = find_gap(live, misses, grown);
		if (!gap.segments && !gap.datagrams)
			break;
	}
	return gap;
}

static int finish_live(struct source *source, source_take take, void *context)
{
	struct live *live = (struct live *)source;
	bool has_udp = live->trace->config->protos & DEMUX_UDP;
	struct demux_end end = {
		.head = { .type = DEMUX_END,
			  .len = has_udp ? sizeof(end) : DEMUX_END_LEN },
	};
	struct backend_misses misses;
	struct gap gap;
	uint64_t grown;
	int err;

	grown = kernel_segments_grown(&live->in_segs);
	if (grown)
		poll(NULL, 0, COUNTED_MS);
	backend_end_segments(live->trace);
	wait_for_flights(live);
	misses = backend_misses(live->trace);
	gap = wait_for_gap(live, &misses, grown);
	backend_detach(live->trace);
	do
		err = consume(live, take, context);
	while (!err && !live->enough && !live->left);
	if (!err && !live->enough)
		err = take_waiting(live, UINT64_MAX);
	sum_counters(live, &end);
	end.counters.stuck += misses.doubts;
	end.unseen = misses.segments + gap.segments;
	end.datagrams.unseen = misses.datagrams + gap.datagrams;
	end.head.mono_ns = clock_mono_ns();
	if (!err)
		take(context, &end, end.head.len);
	source->ended = true;
	return err;
}

static void close_live(struct source *source)
{
	struct live *live = (struct live *)source;

	if (live->in_segs.fd >= 0)
		close(live->in_segs.fd);
	ring_buffer__free(live->ring);
	if (live->cells)
		munmap((void *)live->cells, live->cells_size);
	live_accepts_free(&live->accepts);
	snapshot_free(live->snapshot);
	if (live->trace)
		backend_free(live->trace);
	free(live);
}

static void fill_head(struct recording_head *head,
		      const struct backend_trace *trace)
{
	recording_begin(head);
	snprintf(head->backend, sizeof(head->backend), "%s",
		 trace->backend->name);
	memcpy(head->missing, trace->missing, sizeof(head->missing));
	memcpy(head->coverage, trace->coverage, sizeof(head->coverage));
	memcpy(head->observed, trace->observed, sizeof(head->observed));
}

/* Maps what is read later without any privilege. 0 or -errno. */
static int map_kernel_half(struct live *live)
{
	int ring_fd = backend_map(live->trace, "ring", NULL);
	int cells_fd = backend_map(live->trace, "cells", &live->cell_size);
	void *cells;

	live->ring = ring_buffer__new(ring_fd, on_record, live, NULL);
	if (!live->ring)
		return -errno;
	live->cells_size = live->cell_size * libbpf_num_possible_cpus();
	cells = mmap(NULL, live->cells_size, PROT_READ, MAP_SHARED, cells_fd,
		     0);
	if (cells == MAP_FAILED)
		return -errno;
	live->cells = cells;
	return 0;
}

/* Called when all hooks are there but those on segments; once more where these
 * fail, and another backend is tried. */
static void take_snapshot(void *context, const struct demux_config *config)
{
	struct live *live = context;

	snapshot_free(live->snapshot);
	live->snapshot = snapshot_new(live->without);
	if (live->snapshot)
		snapshot_take(live->snapshot, config);
}

struct source *source_live(const char *backend, struct backend_wish *wish)
{
	struct live *live = calloc(1, sizeof(*live));
	int err;

	if (!live) {
		log_error("out of memory");
		return NULL;
	}
	live_accepts_init(&live->accepts);
	live->in_segs.fd = -1;
	live->without = wish->without;
	wish->before_segments = take_snapshot;
	wish->context = live;
	live->trace = backend_start(backend, wish);
	if (!live->trace)
		goto out;
	err = map_kernel_half(live);
	if (err) {
		log_error("cannot map the ring buffer: %s", strerror(-err));
		goto out;
	}
	begin_counting(live);
	live->source.is_live = true;
	live->source.fd = ring_buffer__epoll_fd(live->ring);
	live->source.read = read_live;
	live->source.finish = finish_live;
	live->source.close = close_live;
	live->source.config = live->trace->config;
	fill_head(&live->source.head, live->trace);
	return &live->source;
out:
	close_live(&live->source);
	return NULL;
}
