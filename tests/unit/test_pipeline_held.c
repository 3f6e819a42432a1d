// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_pipeline_held.c - user/pipeline.c where segments wait for their verdict.
 */
#include "piped.h"

#define MS 1000000ull

/* The connection's, what a listener got of it on CPU 1, and what came later. */
static struct demux_segment_more opened, passed, found, again;
static struct demux_close closing;

static int begin_held(void **state)
{
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.2", 9);

	begin(state);
	opened = make_match(1 * MS, 100, ends);
	passed = make_segment(1000 * MS, DEMUX_LISTENER, ends);
	give_sock(&passed, make_listener(200, "0.0.0.0", 80));
	passed.segment.head.cpu = 1;
	found = make_match(1001 * MS, 100, ends);
	again = make_match(1002 * MS, 100, ends);
	closing = make_close(1003 * MS, DEMUX_DESTROYED,
			     make_sock(100, S_CLOSE, ends));
	last = make_end(2000 * MS, 2, 0);
	return 0;
}

/* What a record has says nothing of the moment at which memory is given back. */
static void test_close_of_before(void **state)
{
	(void)state;
	passed.segment.head.mono_ns = 5000 * MS;
	give(&opened);
	give(&passed);
	give(&closing);
	give(&last);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9c$");
}

/* A reader that is behind has not read the close yet. */
static void test_round_is_over(void **state)
{
	(void)state;
	give(&opened);
	give(&passed);
	give(&closing);
	give(&last);
	fake.source.is_live = true;
	pipeline.duration_ns = 30 * MS;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9c$");
	assert_int_equal(summary.explained, 1);
	assert_true(summary.is_proved);
}

/* It comes to nothing, where nothing more is there to be read. */
static void test_nothing_more(void **state)
{
	(void)state;
	give(&opened);
	give(&passed);
	fake.source.is_live = true;
	pipeline.duration_ns = 30 * MS;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9$");
	assert_int_equal(summary.unexplained, 1);
}

/* What comes when its time is over did not wait for anything. */
static void test_after_its_time(void **state)
{
	struct demux_segment_more other = passed;

	(void)state;
	other.segment.head.mono_ns = 1001 * MS;
	other.segment.ends.rport = 8;
	give(&opened);
	give(&passed);
	give(&other);
	give(&last);
	fake.source.is_live = true;
	fake.at_first = 2;
	pipeline.duration_ns = 30 * MS;
	last.counters.seen = last.counters.emitted = 3;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9s8$");
	assert_int_equal(summary.unexplained, 1);
	assert_int_equal(summary.proved, 2);
}

/* Those that were counted are those that were told. */
static void test_count_with_held(void **state)
{
	(void)state;
	found.segment.head.cpu = 1;
	pipeline.count_max = 2;
	give(&opened);
	give(&passed);
	give(&found);
	give(&again);
	give(&last);
	assert_int_equal(run(), 0);
	assert_int_equal(summary.segments, 2);
	assert_int_equal(port_segments, 2);
}

/* Nothing overtakes what waits, so a recording of this says the same. */
static void test_order(void **state)
{
	(void)state;
	b.segment.head.mono_ns = 1001 * MS;
	give(&opened);
	give(&passed);
	give(&b);
	give(&passed);
	give(&closing);
	give(&last);
	last.counters.seen = last.counters.emitted = 4;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9s2s9c$");
	assert_int_equal(summary.explained, 2);
	assert_true(summary.is_proved);
}

static struct demux_ends others(void)
{
	return make_ends("10.0.0.1", 80, "10.0.0.2", 8);
}

/* Each of two sockets is passed by, and then one of them closes. */
static void close_one_of_two(void)
{
	struct demux_segment_more opened_too =
		make_match(2 * MS, 101, others());
	struct demux_segment_more passed_too = passed;

	passed_too.segment.ends = others();
	give(&opened);
	give(&opened_too);
	give(&passed);
	give(&passed_too);
	give(&closing);
	give(&last);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s8s9s8c$");
	assert_int_equal(summary.explained, 1);
	assert_int_equal(summary.unexplained, 1);
}

/* The close of the first is none of the second, which waits behind it. */
static void test_several(void **state)
{
	(void)state;
	close_one_of_two();
}

/* The first has to wait to the end; what decided on the second came before. */
static void test_closed_behind(void **state)
{
	(void)state;
	closing.sock = make_sock(101, S_CLOSE, others());
	close_one_of_two();
}

/* What found it decides on both, whatever comes after. */
static void test_found_behind(void **state)
{
	(void)state;
	give(&opened);
	give(&passed);
	give(&passed);
	give(&found);
	give(&again);
	give(&closing);
	give(&last);
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9s9s9s9c$");
	assert_int_equal(summary.unexplained, 2);
}

/* Many of one flow, all of them at once when it is decided. */
static void test_flow(void **state)
{
	(void)state;
	give(&opened);
	for (int i = 0; i < 5; i++)
		give(&passed);
	give(&b);
	give(&closing);
	give(&last);
	last.counters.seen = last.counters.emitted = 7;
	b.segment.head.mono_ns = 1050 * MS;
	closing.head.mono_ns = 1060 * MS;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9s9s9s9s9s2c$");
	assert_int_equal(summary.explained, 5);
	begin_held(NULL);
	give(&opened);
	for (int i = 0; i < 5; i++)
		give(&passed);
	give(&b);
	give(&closing);
	give(&last);
	b.segment.head.mono_ns = 1200 * MS;
	assert_int_equal(run(), 0);
	assert_string_equal(seen, "^s9s9s9s9s9s9s2c$");
	assert_int_equal(summary.unexplained, 5);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_close_of_before, begin_held),
	cmocka_unit_test_setup(test_round_is_over, begin_held),
	cmocka_unit_test_setup(test_nothing_more, begin_held),
	cmocka_unit_test_setup(test_after_its_time, begin_held),
	cmocka_unit_test_setup(test_count_with_held, begin_held),
	cmocka_unit_test_setup(test_order, begin_held),
	cmocka_unit_test_setup(test_several, begin_held),
	cmocka_unit_test_setup(test_found_behind, begin_held),
	cmocka_unit_test_setup(test_closed_behind, begin_held),
	cmocka_unit_test_setup(test_flow, begin_held),
};

RUN("pipeline_held", tests)
