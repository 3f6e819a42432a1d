// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_live.c - records from the running kernel's ring buffer. First stage
 * of the user half.
 */
#include "source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "clock.h"
#include "live_accepts.h"
#include "live_counts.h"
#include "log.h"
#include "snapshot.h"

/* So much a round, so that signals and timers get their turn. */
#define RECORDS_PER_ROUND 100000

struct live {
	struct source source;
	struct backend_trace *trace;
	struct ring_buffer *ring;
	const char *without; /* of the wish */
	struct snapshot *snapshot; /* what was there before; NULL: nothing */
	struct live_accepts accepts; /* that wait for their descriptors */
	struct live_counts counts;
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

static int finish_live(struct source *source, source_take take, void *context)
{
	struct live *live = (struct live *)source;
	bool has_udp = live->trace->config->protos & DEMUX_UDP;
	struct demux_end end = {
		.head = { .type = DEMUX_END,
			  .len = has_udp ? sizeof(end) : DEMUX_END_LEN },
	};
	int err;

	live_counts_stop(&live->counts, live->trace);
	backend_detach(live->trace);
	do
		err = consume(live, take, context);
	while (!err && !live->enough && !live->left);
	if (!err && !live->enough)
		err = take_waiting(live, UINT64_MAX);
	live_counts_tell(&live->counts, &end);
	end.head.mono_ns = clock_mono_ns();
	if (!err)
		take(context, &end, end.head.len);
	source->ended = true;
	return err;
}

static void close_live(struct source *source)
{
	struct live *live = (struct live *)source;

	live_counts_close(&live->counts);
	ring_buffer__free(live->ring);
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

	live->ring = ring_buffer__new(ring_fd, on_record, live, NULL);
	return live->ring ? live_counts_map(&live->counts, live->trace) :
			    -errno;
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
	live_counts_init(&live->counts);
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
	live_counts_begin(&live->counts, live->trace);
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
