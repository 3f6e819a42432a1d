// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_pipeline_held.c - user/pipeline.c where segments wait for their verdict.
 */
#include "piped.h"

#define MS 1000000ull

/* The connection's, what a listener got of it on CPU 1, and what came later. */
static struct demux_segment_more opened, passed;
static struct demux_close closing;

static int begin_held(void **state)
{
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.2", 9);

	begin(state);
	opened = make_match(1 * MS, 100, ends);
	passed = make_segment(1000 * MS, DEMUX_LISTENER, ends);
	give_sock(&passed, make_listener(200, "0.0.0.0", 80));
	passed.segment.head.cpu = 1;
	closing = make_close(1003 * MS, DEMUX_DESTROYED,
			     make_sock(100, S_CLOSE, ends));
	last = make_end(2000 * MS, 2, 0);
	return 0;
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_round_is_over, begin_held),
	cmocka_unit_test_setup(test_nothing_more, begin_held),
};

RUN("pipeline_held", tests)
