// SPDX-License-Identifier: GPL-2.0-only
/*
 * pipeline.c - the line itself, and the loop that keeps it moving.
 */
#include "pipeline.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "model_datagram.h"
#include "pipeline_wanted.h"
#include "stop.h"

/* The ring is looked into this often, woken or not. */
#define ROUND_MS 50

static void hand_on(struct pipeline *pipeline, const struct event *event)
{
	for (size_t i = 0; i < pipeline->sink_count; i++) {
		struct sink *sink = &pipeline->sinks[i];

		sink->type->event(sink, event);
		if (sink->out.error && !pipeline->error)
			pipeline->error = sink->out.error;
	}
}

/* The same for the counters of datagrams, where the record has them. */
static void adjust_datagrams(const struct pipeline *pipeline,
			     struct demux_datagram_counters *count)
{
	const struct datagram_summary *udp = &pipeline->summary.udp;

	count->filtered = udp->filtered;
	count->emitted =
		pipeline->proof.stopped_early ?
			udp->copies :
			count->emitted - pipeline->proof.copies_filtered;
	count->told = udp->datagrams;
	count->seen =
		count->filtered + count->told + udp->skipped - count->unseen;
}

static void hand_on_end(struct pipeline *pipeline, struct event *event)
{
	struct demux_end end = { 0 };

	proof_end(&pipeline->proof, &pipeline->model, &pipeline->source->head,
		  event->end, &pipeline->summary);
	if (event->end) {
		/* A recording made of a part must add up by itself, but what
		 * did not arrive here must not look as if it had. */
		end.head = event->head[0];
		if (end.head.len > sizeof(end))
			end.head.len = sizeof(end);
		memcpy(&end, event->end, end.head.len);
		end.head.len = event->datagrams ? sizeof(end) : DEMUX_END_LEN;
		if (event->datagrams)
			adjust_datagrams(pipeline, &end.datagrams);
		end.counters.filtered = pipeline->summary.filtered;
		end.counters.emitted =
			pipeline->proof.stopped_early ?
				pipeline->summary.segments :
				end.counters.emitted - pipeline->proof.filtered;
		end.counters.seen = end.counters.filtered +
				    end.counters.emitted + end.counters.lost +
				    end.counters.skipped +
				    pipeline->summary.skipped -
				    event->end->counters.skipped - end.unseen;
		event->end = &end;
		event->head = &end.head;
	}
	event->trace = &pipeline->source->head;
	event->summary = &pipeline->summary;
	event->model = &pipeline->model;
	hand_on(pipeline, event);
	pipeline->ended = true;
}

/* Returns @err, after a message if it is one. */
static int out_of_memory(int err)
{
	if (err)
		log_error("out of memory for the table of sockets");
	return err;
}

/* Counts what was not asked for. 0 or -ENOMEM. */
static int leave_out(struct pipeline *pipeline, const struct event *event)
{
	if (event->head->type == DEMUX_SEGMENT)
		pipeline->proof.filtered++;
	if (!event_is_datagram(event))
		return 0;
	pipeline->proof.copies_filtered++;
	return out_of_memory(
		model_datagram_comes(&pipeline->model, event->datagram));
}

static void judge(struct pipeline *pipeline, struct event *event)
{
	struct proof *proof = &pipeline->proof;

	if (event->head->type == DEMUX_SEGMENT)
		proof_segment(proof, &pipeline->model, event);
	else if (event_is_datagram(event))
		proof_datagram(proof, &pipeline->model, event);
	else if (event->head->type == DEMUX_ACCEPT)
		proof_accept(proof, &pipeline->model, event);
	else if (event->head->type == DEMUX_CLOSE)
		proof_close(proof, &pipeline->model, event);
}

static int tell(struct pipeline *pipeline, struct event *event)
{
	struct proof *proof = &pipeline->proof;
	int err = out_of_memory(model_apply(&pipeline->model, event));

	if (err)
		return err;
	judge(pipeline, event);
	hand_on(pipeline, event);
	proof->stopped_early = pipeline->count_max &&
			       proof_judged(proof) + proof_copies(proof) ==
				       pipeline->count_max;
	return 0;
}

/* What has not to wait, or not any more. */
static void pass(struct pipeline *pipeline, struct event *event)
{
	int err;

	if (pipeline->proof.stopped_early)
		return;
	err = pipeline_wants(pipeline, event) ? tell(pipeline, event) :
						leave_out(pipeline, event);
	pipeline->error = pipeline->error ?: err;
}

static bool waits(const struct pipeline *pipeline, const struct event *event,
		  struct judge_wait *wait)
{
	return !pipeline->proof.stopped_early &&
	       pipeline_wants(pipeline, event) &&
	       judge_waits(&pipeline->model, event, wait);
}

/* Those that are held go on, up to one that waits. */
static void pass_held(struct pipeline *pipeline)
{
	struct judge *judge = &pipeline->proof.judge;
	struct held *held = &pipeline->held;
	struct held_record *one;
	struct judge_wait wait;
	struct event event;
	const char *problem;

	while (held->first) {
		decode(&event, held->first->head, held->first->head->len,
		       &problem);
		event.trace = &pipeline->source->head;
		if (!held->waits && waits(pipeline, &event, &wait))
			held_wait(held, &wait);
		one = held_next(held, &wait, &judge->waited);
		if (!one)
			break;
		pass(pipeline, &event);
		judge->waited = NULL;
		free(one);
	}
}

/* It is @now_ns in the trace. */
static void expire_held(struct pipeline *pipeline, uint64_t now_ns)
{
	held_expire(&pipeline->held, now_ns);
	pass_held(pipeline);
}

/* It comes behind those that are held. */
static void hold(struct pipeline *pipeline, const struct event *event)
{
	int err = out_of_memory(held_add(&pipeline->held, event->head));

	pipeline->error = pipeline->error ?: err;
	if (err)
		return;
	held_see(&pipeline->held, event);
	pass_held(pipeline);
}

/* The heart: one record through all stages. Non-zero: enough for now. */
static int take(void *context, const void *record, size_t len)
{
	struct pipeline *pipeline = context;
	struct proof *proof = &pipeline->proof;
	const char *problem;
	struct judge_wait wait;
	struct event event;
	int err = decode(&event, record, len, &problem);

	if (err == -ENOTSUP) {
		proof->unknown++;
		return 0;
	}
	if (err) {
		if (!proof->undecodable++)
			log_warn("a damaged record was left out: %s", problem);
		return 0;
	}
	event.trace = &pipeline->source->head;
	if (event.head->type == DEMUX_END) {
		expire_held(pipeline, UINT64_MAX);
		hand_on_end(pipeline, &event);
		return 1;
	}
	/* A recording is read on to its end: that has the counters. */
	if (proof->stopped_early)
		return pipeline->source->is_live;
	if (pipeline->held.first || waits(pipeline, &event, &wait))
		hold(pipeline, &event);
	else
		pass(pipeline, &event);
	return pipeline->error ||
	       (proof->stopped_early && pipeline->source->is_live);
}

static void flush(struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->sink_count; i++) {
		int err = out_flush(&pipeline->sinks[i].out);

		if (err && !pipeline->error)
			pipeline->error = err;
	}
}

static bool is_over(const struct pipeline *pipeline, uint64_t began_ns)
{
	if (pipeline->source->ended || pipeline->error ||
	    (pipeline->proof.stopped_early && pipeline->source->is_live))
		return true;
	return pipeline->duration_ns &&
	       clock_mono_ns() - began_ns >= pipeline->duration_ns;
}

/* Milliseconds until the next round, fewer where --duration ends before. */
static int patience(const struct pipeline *pipeline, uint64_t began_ns)
{
	uint64_t left_ms;

	if (!pipeline->duration_ns)
		return ROUND_MS;
	left_ms = (pipeline->duration_ns - (clock_mono_ns() - began_ns)) /
			  1000000 +
		  1;
	return left_ms < ROUND_MS ? (int)left_ms : ROUND_MS;
}

static void loop(struct pipeline *pipeline)
{
	struct pollfd fds[] = {
		{ .fd = pipeline->source->fd, .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN },
	};
	uint64_t began_ns = clock_mono_ns(), now_ns;

	while (!is_over(pipeline, began_ns)) {
		if (poll(fds, 2, patience(pipeline, began_ns)) < 0 &&
		    errno != EINTR)
			break;
		if (fds[1].revents)
			break;
		/* A pipe with nothing in it would hold up the next signal. */
		if (!pipeline->source->is_live && !fds[0].revents)
			continue;
		now_ns = clock_mono_ns();
		if (pipeline->source->read(pipeline->source, take, pipeline))
			pipeline->error = pipeline->error ?: -EIO;
		/* No later record may come; or a reader that is behind has not
		 * read it yet. */
		if (pipeline->source->is_live && !pipeline->source->has_more)
			expire_held(pipeline, now_ns);
		flush(pipeline);
		if (pipeline->tick && pipeline->tick(pipeline->tick_context))
			break;
	}
}

/* A stop before the recording's own end, or none in it at all. */
static void end_without_record(struct pipeline *pipeline)
{
	const struct demux_head head = { .type = DEMUX_END };
	struct event event = { .head = &head };

	expire_held(pipeline, UINT64_MAX);
	hand_on_end(pipeline, &event);
}

static void hand_on_begin(struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->sink_count; i++) {
		struct sink *sink = &pipeline->sinks[i];
		int err = out_begin(&sink->out);

		if (err && !pipeline->error)
			pipeline->error = err;
		if (sink->type->begin)
			sink->type->begin(sink, &pipeline->source->head);
	}
	flush(pipeline);
}

int pipeline_run(struct pipeline *pipeline)
{
	struct source *source = pipeline->source;
	int err = source->begin ? source->begin(source) : 0;

	if (err)
		return err; /* nothing is written, and no file emptied */
	model_init(&pipeline->model);
	pipeline->model.keeps_all = pipeline->keeps_all;
	hand_on_begin(pipeline);
	loop(pipeline);
	if (source->finish(source, take, pipeline))
		pipeline->error = pipeline->error ?: -EIO;
	if (!pipeline->ended)
		end_without_record(pipeline);
	flush(pipeline);
	return pipeline->error;
}

int pipeline_close(struct pipeline *pipeline)
{
	int first = 0;

	if (pipeline->source)
		pipeline->source->close(pipeline->source);
	for (size_t i = 0; i < pipeline->sink_count; i++) {
		int err = sink_close(&pipeline->sinks[i]);

		first = first ?: err;
	}
	held_free(&pipeline->held);
	proof_free(&pipeline->summary);
	model_free(&pipeline->model);
	return first;
}
