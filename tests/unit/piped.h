/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * piped.h - what the tests of user/pipeline.c share: a made-up source, and a sink
 * that writes down what it gets.
 */
#ifndef TESTS_PIPED_H
#define TESTS_PIPED_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "log.h"
#include "pipeline.h"
#include "stop.h"

/* --- a source that has records lying ready ---------------------------------- */

static struct {
	struct source source;
	const void *records[20];
	size_t count, next, per_round;
	size_t at_first; /* so many are there in the first rounds; 0: all */
	bool finished, closed;
	int fails; /* read() returns it */
} fake;

static int hand_over(struct source *source, source_take take, void *context)
{
	size_t left = fake.per_round;
	size_t there = fake.next < fake.at_first ? fake.at_first : fake.count;

	while (left-- && fake.next < there) {
		const struct demux_head *head = fake.records[fake.next++];

		if (take(context, head, head->len))
			break;
	}
	source->has_more = fake.next < there;
	source->ended = fake.next == fake.count && !source->is_live;
	return fake.fails;
}

static int finish(struct source *source, source_take take, void *context)
{
	fake.finished = true;
	if (source->is_live) {
		fake.per_round = 100;
		hand_over(source, take, context);
	}
	source->ended = true;
	return 0;
}

static void close_fake(struct source *source)
{
	close(source->fd);
	fake.closed = true;
}

/* --- a sink that writes a letter per event ----------------------------------- */

static char seen[100];
static struct summary summary;
static uint64_t port_segments; /* of all ports of the summary */

static void note(const char *format, ...)
{
	size_t used = strlen(seen);
	va_list args;

	va_start(args, format);
	vsnprintf(seen + used, sizeof(seen) - used, format, args);
	va_end(args);
}

static void on_begin(struct sink *sink, const struct recording_head *trace)
{
	(void)sink;
	assert_ptr_equal(trace, &fake.source.head);
	note("^");
}

static void on_event(struct sink *sink, const struct event *event)
{
	static const char letters[] = "?salc$";

	(void)sink;
	assert_ptr_equal(event->trace, &fake.source.head);
	assert_true(!event->sock || event->sock->number);
	note("%c", letters[event->head->type]);
	if (event->head->type == DEMUX_SEGMENT) {
		assert_true(event->verdict);
		note("%u", event->segment->ends.rport);
	}
	if (event->head->type != DEMUX_END)
		return;
	summary = *event->summary;
	for (size_t i = 0; i < summary.port_count; i++)
		port_segments += summary.ports[i]->segments;
}

static const struct sink_type sink_fake = { "fake", on_begin, on_event };

/* --- the tests ------------------------------------------------------------------ */

static struct pipeline pipeline;
static struct demux_segment_more a, b, c;
static struct demux_accept accepted;
static struct demux_end last;

static int begin(void **state)
{
	(void)state;
	stop_hold_signals(); /* as main() does */
	memset(&fake, 0, sizeof(fake));
	memset(seen, 0, sizeof(seen));
	port_segments = 0;
	fake.source = (struct source){
		.head = make_head(),
		.fd = open("/dev/null", O_RDONLY),
		.read = hand_over,
		.finish = finish,
		.close = close_fake,
	};
	fake.per_round = 2;
	pipeline = (struct pipeline){ .source = &fake.source };
	assert_int_equal(sink_open(&pipeline.sinks[0], &sink_fake, "/dev/null"),
			 0);
	pipeline.sink_count = 1;
	a = make_match(1, 101, make_ends("10.0.0.1", 80, "10.0.0.2", 1));
	b = make_match(2, 102, make_ends("10.0.0.1", 81, "10.0.0.2", 2));
	c = make_match(3, 103, make_ends("fd00::1", 80, "fd00::2", 3));
	accepted = make_accept(4, 70, "w", 5, 0, a.segment.sock);
	last = make_end(9, 3, 0);
	return 0;
}

static void give(const void *record)
{
	fake.records[fake.count++] = record;
}

static inline void give_all(void)
{
	give(&a);
	give(&b);
	give(&c);
	give(&accepted);
	give(&last);
}

static int run(void)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	int err = pipeline_run(&pipeline);

	pipeline_close(&pipeline);
	capture_end(&capture);
	assert_true(fake.closed);
	return err;
}

#endif
