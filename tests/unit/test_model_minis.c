// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model_minis.c - user/model.c and model_table.c on requests and TIME_WAIT
 * minisocks, which tell nobody when they go.
 */
#include "modelled.h"

#define S 1000000000ull

/* The number of the minisock that gets a segment. */
static uint64_t mini(uint64_t mono_ns, unsigned int tcp_state,
		     struct demux_ends ends)
{
	bool waits = tcp_state == S_TIME_WAIT;
	struct demux_segment_more more = make_segment(
		mono_ns, waits ? DEMUX_TIME_WAIT : DEMUX_REQUEST, ends);

	give_sock(&more, make_sock(300, tcp_state, ends));
	return feed(&model, &more).sock->number;
}

/* The number of the connection that does. */
static uint64_t match(uint64_t mono_ns, uint64_t id, uint16_t port)
{
	struct demux_segment_more more = make_match(mono_ns, id, client(port));

	return feed(&model, &more).sock->number;
}

/* They tell nobody when they go: their kind, their ends and time say it. */
static void test_minisocks(void **state)
{
	(void)state;
	assert_int_equal(mini(1 * S, S_TIME_WAIT, client(1000)), 1);
	assert_int_equal(mini(2 * S, S_TIME_WAIT, client(1000)), 1);
	assert_int_equal(mini(3 * S, S_TIME_WAIT, client(1001)), 2);
	assert_int_equal(mini(4 * S, S_NEW_SYN_RECV, client(1001)), 3);
	assert_int_equal(match(5 * S, 300, 1001), 4);
	match(400 * S, 100, 1);
	/* None of the minisocks is kept for ever; the full one is. */
	match(403 * S, 100, 1);
	assert_int_equal(model.socks.count, 2);
}

static void test_time_wait_ends_when_reopened(void **state)
{
	struct demux_segment_more more =
		make_segment(2, DEMUX_TIME_WAIT, client(1000));

	(void)state;
	assert_int_equal(mini(1, S_TIME_WAIT, client(1000)), 1);
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	give_parent(&more, make_listener(100, "0.0.0.0", 80));
	assert_int_equal(feed(&model, &more).sock->number, 1);
	assert_int_equal(mini(9, S_TIME_WAIT, client(1000)), 3);
}

/* It was reset, or its time was over: a SYN that a listener gets says so. */
static void test_minisock_ends_when_passed_by(void **state)
{
	struct demux_segment_more more =
		make_segment(3, DEMUX_LISTENER, client(1000));

	(void)state;
	assert_int_equal(mini(1, S_NEW_SYN_RECV, client(1000)), 1);
	give_sock(&more, make_listener(100, "0.0.0.0", 80));
	more.segment.flags = F_ACK; /* it may have been turned away */
	feed(&model, &more);
	assert_int_equal(mini(4, S_NEW_SYN_RECV, client(1000)), 1);
	more.segment.head.mono_ns = 5;
	more.segment.flags = F_SYN;
	feed(&model, &more);
	assert_int_equal(mini(6, S_NEW_SYN_RECV, client(1000)), 3);
}

/* The lookup would not have found it: it is in another VRF, or nobody looked. */
static void test_minisock_is_not_passed_by(void **state)
{
	struct demux_segment_more more =
		make_segment(3, DEMUX_LISTENER, client(1000));

	(void)state;
	assert_int_equal(mini(1, S_TIME_WAIT, client(1000)), 1);
	more.segment.flags = F_SYN;
	/* What comes in by device 7, of VRF 9. */
	more.segment.ifindex = 9;
	more.segment.sdif = 7;
	give_sock(&more, make_listener(100, "0.0.0.0", 80));
	more.segment.sock.ifindex = 9;
	feed(&model, &more);
	assert_int_equal(mini(4, S_TIME_WAIT, client(1000)), 1);
	more = make_segment(5, DEMUX_LISTENER, client(1000));
	more.segment.flags = F_SYN;
	give_sock(&more, make_listener(101, "0.0.0.0", 81));
	feed(&model, &more);
	assert_int_equal(mini(6, S_TIME_WAIT, client(1000)), 1);
}

/* The same two ends, and the same memory, in another network namespace. */
static void test_minisock_of_another_namespace(void **state)
{
	struct demux_segment_more more =
		make_segment(2, DEMUX_TIME_WAIT, client(1000));

	(void)state;
	assert_int_equal(mini(1, S_TIME_WAIT, client(1000)), 1);
	more.segment.netns++;
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	more.segment.sock.netns++;
	assert_int_equal(feed(&model, &more).sock->number, 2);
}

static void test_idle_minisock_goes(void **state)
{
	(void)state;
	mini(1 * S, S_TIME_WAIT, client(1000));
	match(150 * S, 100, 1);
	assert_int_equal(model.socks.count, 2);
	match(310 * S, 100, 1);
	match(312 * S, 100, 1);
	assert_int_equal(model.socks.count, 1);
	assert_int_equal(mini(313 * S, S_TIME_WAIT, client(1000)), 3);
}

/* A SYN that a listener gets. */
static struct demux_segment_more passes(uint64_t mono_ns)
{
	struct demux_segment_more more =
		make_segment(mono_ns, DEMUX_LISTENER, client(1000));

	more.segment.flags = F_SYN;
	give_sock(&more, make_listener(100, "0.0.0.0", 80));
	return more;
}

/* Is the minisock that has these ends, and is bound there, gone by that? */
static bool ends_with(const struct demux_segment_more *more, uint32_t ifindex)
{
	struct demux_segment_more first =
		make_segment(1, DEMUX_TIME_WAIT, client(1000));

	model_free(&model);
	model_init(&model);
	give_sock(&first, make_sock(300, S_TIME_WAIT, client(1000)));
	first.segment.sock.ifindex = ifindex;
	feed(&model, &first);
	feed(&model, more);
	return model_find(&model, 300)->destroyed_ns;
}

static void test_passed_by_on_its_device(void **state)
{
	struct demux_segment_more more = passes(3);

	(void)state;
	assert_true(ends_with(&more, 0));
	assert_true(ends_with(&more, more.segment.ifindex));
	assert_false(ends_with(&more, 7));
	/* No VRF: who is bound to none would have it. */
	more.segment.sock.ifindex = more.segment.ifindex;
	assert_true(ends_with(&more, 0));
	/* Of VRF 2, by device 7. Who is bound to none may have it or not. */
	more.segment.sdif = 7;
	assert_false(ends_with(&more, 0));
	assert_true(ends_with(&more, 7));
	assert_true(ends_with(&more, more.segment.ifindex));
	assert_false(ends_with(&more, 8));
	/* A listener that is bound to none has it: so may others. */
	more.segment.sock.ifindex = 0;
	assert_true(ends_with(&more, 0));
}

/* What no lookup said, or said before. */
static void test_not_passed_by(void **state)
{
	struct demux_segment_more more = passes(3);

	(void)state;
	more.segment.via = DEMUX_ASSIGNED;
	assert_false(ends_with(&more, 0));
	more.segment.have &= ~DEMUX_HAVE_VIA; /* then the number says nothing */
	assert_true(ends_with(&more, 0));
	more.segment.predicted = DEMUX_PREDICTED_SOCK;
	assert_false(ends_with(&more, 0));
	more = passes(3);
	more.segment.outcome = DEMUX_REFUSED;
	assert_false(ends_with(&more, 0));
	more = passes(3);
	more.segment.flags = F_SYN | F_ACK;
	assert_false(ends_with(&more, 0));
	more = passes(1);
	assert_false(ends_with(&more, 0));
	more = passes(3);
	more.segment.netns++;
	more.segment.sock.netns++;
	assert_false(ends_with(&more, 0));
	more = passes(3);
	more.segment.ends.rport++;
	assert_false(ends_with(&more, 0));
}

/* A full socket tells when it goes: that it was passed by is for the proof. */
static void test_full_socket_passed_by(void **state)
{
	struct demux_segment_more more = passes(3);

	(void)state;
	match(1, 301, 1000);
	feed(&model, &more);
	assert_false(model_is_gone(model_find(&model, 301)));
}

static const struct CMUnitTest tests[] = {
	TEST(test_minisocks),
	TEST(test_time_wait_ends_when_reopened),
	TEST(test_minisock_ends_when_passed_by),
	TEST(test_minisock_is_not_passed_by),
	TEST(test_minisock_of_another_namespace),
	TEST(test_idle_minisock_goes),
	TEST(test_passed_by_on_its_device),
	TEST(test_not_passed_by),
	TEST(test_full_socket_passed_by),
};

RUN("model_minis", tests)
