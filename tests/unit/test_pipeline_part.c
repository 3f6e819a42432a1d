// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_pipeline_part.c - user/pipeline.c, the end of a recording that is made of a
 * part of another: it adds up by itself, and says no more than the part.
 */
#include "piped.h"

/* --- a sink that keeps the records, and gives them once more ----------------- */

static unsigned char kept[20][sizeof(struct demux_segment_more)]
	__attribute__((aligned(8)));
static size_t kept_count;
static struct demux_end told; /* the last that was kept */

static void keep(struct sink *sink, const struct event *event)
{
	(void)sink;
	assert_in_range(event->head->len, 1, sizeof(kept[0]));
	memcpy(kept[kept_count++], event->head, event->head->len);
	if (event->head->type != DEMUX_END)
		return;
	summary = *event->summary;
	memset(&told, 0, sizeof(told));
	memcpy(&told, event->head, event->head->len);
}

static const struct sink_type sink_keep = { "keep", NULL, keep };

/* Runs what was given; is it proved? */
static bool is_proved(void)
{
	kept_count = 0;
	pipeline.sinks[0].type = &sink_keep;
	assert_int_equal(run(), 0);
	return summary.is_proved;
}

/* What was kept says the same, made into a recording again, and all of it. */
static void comes_out_the_same(void)
{
	struct summary before = summary;
	struct demux_end end = told;
	size_t count = kept_count;
	unsigned char given[20][sizeof(kept[0])] __attribute__((aligned(8)));

	memcpy(given, kept, sizeof(given));
	begin(NULL);
	for (size_t i = 0; i < count; i++)
		give(given[i]);
	is_proved();
	assert_int_equal(summary.is_proved, before.is_proved);
	assert_int_equal(summary.segments, before.segments);
	assert_int_equal(summary.filtered, before.filtered);
	assert_int_equal(summary.lost, before.lost);
	assert_int_equal(summary.skipped, before.skipped);
	assert_int_equal(summary.doubt_count, before.doubt_count);
	assert_memory_equal(&summary.udp, &before.udp, sizeof(before.udp));
	assert_memory_equal(&told, &end, sizeof(end));
}

/* --- the tests ---------------------------------------------------------------- */

static struct demux_config port_80 = {
	.families = DEMUX_IPV4 | DEMUX_IPV6,
	.protos = DEMUX_TCP | DEMUX_UDP,
	.ports = { [80 / 8] = 1 << 80 % 8 },
};

static void test_whole(void **state)
{
	(void)state;
	last = make_end(9, 3, 4);
	give_all();
	assert_true(is_proved());
	assert_memory_equal(&told, &last, DEMUX_END_LEN);
	assert_int_equal(told.head.len, DEMUX_END_LEN);
	comes_out_the_same();
}

static void test_filtered(void **state)
{
	(void)state;
	last = make_end(9, 3, 4);
	give_all();
	pipeline.wanted = &port_80;
	assert_true(is_proved());
	assert_int_equal(summary.segments, 2);
	assert_int_equal(told.counters.emitted, 2);
	assert_int_equal(told.counters.filtered, 5);
	assert_int_equal(told.counters.seen, 7);
	comes_out_the_same();
}

/* What came after the last is neither told nor counted. */
static void test_stopped_early(void **state)
{
	(void)state;
	give_all();
	pipeline.wanted = &port_80;
	pipeline.count_max = 1;
	assert_true(is_proved());
	assert_int_equal(told.counters.emitted, 1);
	assert_int_equal(told.counters.seen, 1 + told.counters.filtered);
	comes_out_the_same();
}

/* A part of what is in doubt is in doubt. */
static void test_skipped_and_lost(void **state)
{
	(void)state;
	last = make_end(9, 3, 4);
	last.counters.seen += 1 + 2 + 3;
	last.counters.lost = 1;
	last.counters.skipped = 2; /* and 3 were begun and never told */
	last.unseen = 4;
	give_all();
	pipeline.wanted = &port_80;
	assert_false(is_proved());
	assert_int_equal(summary.skipped, 2 + 3 + 4);
	comes_out_the_same();
}

/* Fewer came here than the kernel half sent. */
static void test_missing(void **state)
{
	(void)state;
	last = make_end(9, 5, 0);
	give_all();
	pipeline.wanted = &port_80;
	assert_false(is_proved());
	comes_out_the_same();
}

/* Two for port 80, one of them with two receivers, and one for port 81. */
static void give_datagrams(void)
{
	static struct demux_datagram some[4];

	for (int i = 0; i < 4; i++) {
		struct demux_ends ends =
			make_ends("10.0.0.1", i < 3 ? 80 : 81, "10.0.0.2", 9);
		struct demux_sock sock = make_sock(
			200 + i, S_CLOSE,
			make_ends("0.0.0.0", ends.lport, "0.0.0.0", 0));

		sock.flags = DEMUX_SOCK_UDP;
		some[i] = make_datagram(10 + i - (i == 2), ends, sock);
		some[i].copy = i == 2;
		give(&some[i]);
	}
	last.head.len = sizeof(last);
	last.datagrams = (struct demux_datagram_counters){
		.seen = 3 + 5,
		.filtered = 5,
		.told = 3,
		.emitted = 4,
	};
}

static void test_datagrams(void **state)
{
	(void)state;
	give(&a);
	give(&b);
	give_datagrams();
	last.counters.seen = last.counters.emitted = 2;
	give(&last);
	pipeline.wanted = &port_80;
	assert_true(is_proved());
	assert_int_equal(summary.udp.datagrams, 2);
	assert_int_equal(told.datagrams.emitted, 3);
	assert_int_equal(told.datagrams.told, 2);
	assert_int_equal(told.datagrams.filtered, 6);
	assert_int_equal(told.datagrams.seen, 8);
	comes_out_the_same();
}

static void test_datagrams_skipped(void **state)
{
	(void)state;
	give_datagrams();
	last.datagrams.seen += 1 + 2;
	last.datagrams.skipped = 1; /* and 2 were begun and never told */
	last.datagrams.unseen = 3;
	last.counters.seen = last.counters.emitted = 0;
	give(&last);
	pipeline.wanted = &port_80;
	assert_false(is_proved());
	assert_int_equal(summary.udp.skipped, 1 + 2 + 3);
	comes_out_the_same();
}

static void test_datagrams_stopped_early(void **state)
{
	(void)state;
	give_datagrams();
	last.counters.seen = last.counters.emitted = 0;
	give(&last);
	pipeline.count_max = 1;
	assert_true(is_proved());
	assert_int_equal(told.datagrams.emitted, 1);
	assert_int_equal(told.datagrams.told, 1);
	comes_out_the_same();
}

static const struct CMUnitTest tests[] = {
	TEST_BEGUN(test_whole),
	TEST_BEGUN(test_filtered),
	TEST_BEGUN(test_stopped_early),
	TEST_BEGUN(test_skipped_and_lost),
	TEST_BEGUN(test_missing),
	TEST_BEGUN(test_datagrams),
	TEST_BEGUN(test_datagrams_skipped),
	TEST_BEGUN(test_datagrams_stopped_early),
};

RUN("pipeline_part", tests)
