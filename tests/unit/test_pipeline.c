// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_pipeline.c - user/pipeline.c between a made-up source and a sink that
 * writes down what it gets.
 */
#include "piped.h"

#include "clock.h"

static void test_order(void **state)
{
	(void)state;
	give_all();
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s1s2s3a$");
	assert_true(summary.is_proved && fake.finished);
	assert_int_equal(summary.segments, 3);
	assert_int_equal(summary.accepted, 1);
}

/* When it happens, in ns, and in which order it is told; 0: it does not. */
struct strange {
	uint64_t listens, closes, earlier_accept, late_close;
};

/* accept() gives, at 9, what another listener's segment has borne. */
static void accept_strange(struct strange at)
{
	struct demux_sock listener = make_listener(90, "0.0.0.0", 80);
	struct demux_sock child = make_sock(104, S_ESTABLISHED, a.segment.ends);
	struct demux_segment_more birth =
		make_segment(5, DEMUX_REQUEST, a.segment.ends);
	struct demux_listen listen =
		make_listen(4, 70, "w", make_listener(91, "0.0.0.0", 80));
	struct demux_listen again = make_listen(at.listens, 70, "w", listener);
	struct demux_accept earlier =
		make_accept(at.earlier_accept, 70, "w", 6, 91, child);
	struct demux_close close =
		make_close(at.closes, DEMUX_UNHASHED, listener);
	struct demux_close late =
		make_close(at.late_close, DEMUX_UNHASHED, listener);

	give_sock(&birth, make_sock(105, S_NEW_SYN_RECV, a.segment.ends));
	give_parent(&birth, listener);
	give_child(&birth, child);
	accepted = make_accept(9, 70, "w", 5, 91, child);
	last = make_end(99, 1, 0);
	give(&listen);
	if (at.listens)
		give(&again);
	give(&birth);
	if (at.closes)
		give(&close);
	give(&accepted);
	if (at.earlier_accept)
		give(&earlier);
	if (at.late_close)
		give(&late);
	give(&last);
	assert_int_equal(run(), 0);
}

static void expect_strange(bool is_strange)
{
	assert_int_equal(summary.doubt_count, is_strange);
	assert_int_equal(summary.is_proved, !is_strange);
	if (is_strange)
		assert_contains(summary.doubts[0], "I7");
}

static void test_strange_accept(void **state)
{
	(void)state;
	accept_strange((struct strange){ 0 });
	assert_string_equal(seen, "^ls1a$");
	expect_strange(true);
}

/* It closes too late for that. */
static void test_strange_accept_closed(void **state)
{
	(void)state;
	accept_strange((struct strange){ .late_close = 10 });
	expect_strange(true);
}

/* Too late for one of two, which is told last. */
static void test_strange_accepts(void **state)
{
	(void)state;
	accept_strange(
		(struct strange){ .earlier_accept = 6, .late_close = 7 });
	expect_strange(true);
}

static void test_moved_accept(void **state)
{
	(void)state;
	accept_strange((struct strange){ .closes = 7 });
	expect_strange(false);
}

/* It had closed before, and that is told later. */
static void test_moved_accept_told_first(void **state)
{
	(void)state;
	accept_strange((struct strange){ .late_close = 9 });
	expect_strange(false);
}

/* It listens again, and that is told before the birth. */
static void test_moved_accept_listening(void **state)
{
	(void)state;
	accept_strange((struct strange){ .listens = 8 });
	expect_strange(false);
}

/* Every sink gets everything, in the same order. */
static void test_two_sinks(void **state)
{
	(void)state;
	assert_int_equal(sink_open(&pipeline.sinks[1], &sink_fake, "/dev/null"),
			 0);
	pipeline.sink_count = 2;
	give(&a);
	give(&last);
	run();
	assert_string_equal(seen, "^^s1s1$$");
}

static void test_count(void **state)
{
	(void)state;
	give_all();
	pipeline.count_max = 2;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s1s2$");
	assert_true(summary.is_proved);
	assert_int_equal(summary.segments, 2);
}

/* A live source still tells its counters then. */
static void test_count_live(void **state)
{
	(void)state;
	give_all();
	fake.source.is_live = true;
	fake.per_round = 5;
	pipeline.count_max = 1;
	run();
	assert_string_equal(seen, "^s1$");
	begin(NULL);
	give(&a);
	give(&last);
	fake.source.is_live = true;
	fake.per_round = 1;
	pipeline.count_max = 1;
	run();
	assert_string_equal(seen, "^s1$");
	assert_true(summary.complete && summary.is_proved);
}

static void test_no_end(void **state)
{
	(void)state;
	give(&a);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s1$");
	assert_false(summary.complete || summary.is_proved);
	assert_contains(summary.doubts[0], "cut");
}

static void test_bad_records(void **state)
{
	struct demux_head strange = { .type = 99, .len = sizeof(strange) };

	(void)state;
	b.segment.outcome = 99;
	last.counters.seen += 2 - last.counters.emitted;
	last.counters.emitted = 2;
	give(&a);
	give(&b);
	give(&strange);
	give(&c);
	give(&last);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s1s3$");
	assert_false(summary.is_proved);
	assert_int_equal(summary.doubt_count, 2);
	assert_contains(summary.doubts[0], "1 records are damaged");
	assert_contains(summary.doubts[1], "1 records are of a kind");
}

static void test_source_fails(void **state)
{
	(void)state;
	fake.fails = -EBADMSG;
	fake.per_round = 1;
	give_all();
	assert_true(run() < 0);
	assert_string_equal(seen, "^s1$");
	assert_false(summary.is_proved);
}

static void on_event_fails(struct sink *sink, const struct event *event)
{
	on_event(sink, event);
	sink->out.error = -EPIPE;
}

static void test_sink_fails(void **state)
{
	static const struct sink_type failing = { "f", NULL, on_event_fails };

	(void)state;
	pipeline.sinks[0].type = &failing;
	give_all();
	assert_int_equal(run(), -EPIPE);
	assert_string_equal(seen, "s1$");
}

static void test_duration(void **state)
{
	uint64_t began_ns = clock_mono_ns();

	(void)state;
	fake.source.is_live = true;
	give(&a);
	pipeline.duration_ns = 30000000;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s1$");
	assert_in_range(clock_mono_ns() - began_ns, 30000000, 10000000000);
}

static int rounds;

static int tick(void *context)
{
	assert_ptr_equal(context, &rounds);
	return ++rounds == 2;
}

static void test_tick(void **state)
{
	(void)state;
	fake.source.is_live = true;
	fake.per_round = 1;
	give_all();
	pipeline.tick = tick;
	pipeline.tick_context = &rounds;
	assert_int_equal(run(), 0);
	assert_int_equal(rounds, 2);
	assert_string_equal(seen, "^s1s2s3a$");
}

static void test_signal(void **state)
{
	(void)state;
	fake.source.is_live = true;
	fake.per_round = 1;
	give_all();
	raise(SIGTERM); /* stays pending: pipeline_run() blocked it before */
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s1s2s3a$");
	assert_true(summary.is_proved);
}

/* A replay that is stopped has not seen the end, which has the counters. */
static void test_signal_in_replay(void **state)
{
	(void)state;
	give_all();
	raise(SIGINT);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^$");
	assert_int_equal(summary.doubt_count, 2);
	assert_contains(summary.doubts[0], "not read to its end");
	assert_contains(summary.doubts[1], "no segment was seen");
}

/* As a script's background jobs are started. */
static void test_signal_ignored_before(void **state)
{
	(void)state;
	signal(SIGINT, SIG_IGN);
	stop_hold_signals();
	raise(SIGINT);
	give_all();
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^$");
}

static const struct CMUnitTest tests[] = {
	TEST_BEGUN(test_order),
	TEST_BEGUN(test_strange_accept),
	TEST_BEGUN(test_strange_accept_closed),
	TEST_BEGUN(test_strange_accepts),
	TEST_BEGUN(test_moved_accept),
	TEST_BEGUN(test_moved_accept_told_first),
	TEST_BEGUN(test_moved_accept_listening),
	TEST_BEGUN(test_two_sinks),
	TEST_BEGUN(test_count),
	TEST_BEGUN(test_count_live),
	TEST_BEGUN(test_no_end),
	TEST_BEGUN(test_bad_records),
	TEST_BEGUN(test_source_fails),
	TEST_BEGUN(test_sink_fails),
	TEST_BEGUN(test_duration),
	TEST_BEGUN(test_tick),
	TEST_BEGUN(test_signal),
	TEST_BEGUN(test_signal_in_replay),
	TEST_BEGUN(test_signal_ignored_before),
};

RUN("pipeline", tests)
