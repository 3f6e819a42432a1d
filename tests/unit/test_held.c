// SPDX-License-Identifier: GPL-2.0-only
/* test_held.c - user/held.c: what decides on a segment that waits. */
#include "waiting.h"

#include <unistd.h>

static void test_stayed(void **state)
{
	(void)state;
	pass_by();
	held_expire(&held, 1100 * MS);
	nothing_decided();
	held_expire(&held, 1101 * MS);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

static void closed(uint32_t cpu, uint32_t how, bool is_received,
		   enum verdict verdict)
{
	pass_by();
	close_on(cpu, 1000 * MS + 500, how, is_received);
	decided(verdict, "I3:");
}

static void test_closed_late(void **state)
{
	(void)state;
	pass_by();
	close_on(0, 1100 * MS + 1, DEMUX_UNHASHED, true);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

static void test_closed_in_time(void **state)
{
	(void)state;
	pass_by();
	close_on(0, 1100 * MS, DEMUX_UNHASHED, true);
	decided(VERDICT_EXPLAINED, "I3:");
}

static void test_closed(void **state)
{
	(void)state;
	closed(0, DEMUX_UNHASHED, true, VERDICT_EXPLAINED);
}

/* A segment's: the lookup came after it, or before. */
static void test_closed_on_its_cpu(void **state)
{
	(void)state;
	closed(1, DEMUX_UNHASHED, true, VERDICT_UNEXPLAINED);
}

/* A task lets softirqs in, between the two. */
static void test_closed_by_a_task(void **state)
{
	(void)state;
	closed(1, DEMUX_UNHASHED, false, VERDICT_EXPLAINED);
}

/* Memory goes back on any CPU. */
static void test_destroyed_on_its_cpu(void **state)
{
	(void)state;
	closed(1, DEMUX_DESTROYED, true, VERDICT_EXPLAINED);
}

static void test_found_since(void **state)
{
	(void)state;
	pass_by();
	found(2, 0);
	found(2, 100);
	nothing_decided();
	found(2, 200);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

static void test_found_on_its_cpu(void **state)
{
	(void)state;
	pass_by();
	found(1, 100);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

/* One that it met since may be what made it go. */
static void test_found_once(void **state)
{
	(void)state;
	pass_by();
	found(0, 100);
	close_on(0, 1000 * MS + 500, DEMUX_UNHASHED, true);
	decided(VERDICT_EXPLAINED, "I3:");
}

/* Two that it met on two CPUs may both have been quicker. */
static void test_found_on_two_others(void **state)
{
	(void)state;
	pass_by();
	found(0, 100);
	found(2, 200);
	nothing_decided();
	found(0, 300);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

static void test_others_do_not_count(void **state)
{
	struct demux_segment_more more = make_match(1001 * MS, 101, client(5));

	struct demux_close close = make_close(
		1000 * MS, DEMUX_UNHASHED, make_sock(101, S_CLOSE, client(4)));

	(void)state;
	pass_by();
	more.segment.head.cpu = 1;
	assert_true(comes(&more));
	/* Nor one that has the ends, and another address. */
	assert_true(comes(&close));
	nothing_decided();
}

/* What a process that holds the socket, or a lookup of before, still finds. */
static void test_found_closed(void **state)
{
	struct demux_segment_more more = make_match(1001 * MS, 100, client(4));

	(void)state;
	pass_by();
	more.segment.head.cpu = 1;
	more.segment.sock.state = S_CLOSE;
	assert_true(comes(&more));
	nothing_decided();
}

/* It was there before the trace, told by sock_diag, which has no addresses. */
static void test_known_by_its_ends(void **state)
{
	struct demux_sock sock = make_sock(1 << 20, S_ESTABLISHED, client(4));
	struct demux_accept before;
	struct demux_close other;
	struct demux_segment_more more =
		make_segment(1000 * MS, DEMUX_NONE, client(4));

	(void)state;
	sock.flags = DEMUX_SOCK_BY_ENDS;
	before = make_before(1, 70, "w", 5, 0, sock);
	assert_false(comes(&before));
	assert_true(comes(&more));
	other = make_close(1000 * MS, DEMUX_UNHASHED,
			   make_sock(101, S_CLOSE, client(5)));
	assert_true(comes(&other));
	other.sock.ends = client(4);
	other.sock.netns++;
	assert_true(comes(&other));
	other.sock.netns--;
	other.sock.flags = DEMUX_SOCK_UDP;
	assert_true(comes(&other));
	nothing_decided();
	close_on(0, 1000 * MS + 500, DEMUX_UNHASHED, false);
	decided(VERDICT_EXPLAINED, "I3:");
}

/* Two connections, which stay, in turn: what is behind is not gone through for each
 * that waits. That took a minute. */
static void test_many_pass_by(void **state)
{
	struct demux_segment_more one = make_match(1, 100, client(4));
	struct demux_segment_more two = make_match(1, 101, client(5));
	struct demux_segment_more more = at_listener(1000 * MS);
	int count = 0;

	(void)state;
	alarm(15);
	assert_false(comes(&one));
	assert_false(comes(&two));
	for (int i = 0; i < 80000; i++) {
		more.segment.ends.rport = i % 2 ? one.segment.ends.rport :
						  two.segment.ends.rport;
		assert_true(comes(&more));
	}
	held_expire(&held, 1200 * MS);
	while (held.first)
		count += next_waits() == FATE_STAYED;
	assert_int_equal(count, 80000);
	alarm(0);
}

static const struct CMUnitTest tests[] = {
	TEST(test_stayed),
	TEST(test_closed_late),
	TEST(test_closed_in_time),
	TEST(test_closed),
	TEST(test_closed_on_its_cpu),
	TEST(test_closed_by_a_task),
	TEST(test_destroyed_on_its_cpu),
	TEST(test_found_since),
	TEST(test_found_on_its_cpu),
	TEST(test_found_once),
	TEST(test_found_on_two_others),
	TEST(test_others_do_not_count),
	TEST(test_found_closed),
	TEST(test_known_by_its_ends),
	TEST(test_many_pass_by),
};

RUN("held", tests)
