// SPDX-License-Identifier: GPL-2.0-only
/* test_judge_waits.c - user/judge.c: which segments have to wait, and for what. */
#include "waiting.h"

/* Two ACKs with the same SYN cookie: the second is looked up as the first makes the
 * socket. */
static void second_cookie(uint32_t cpu, uint64_t later_ns, bool is_explained)
{
	struct demux_segment_more first =
		make_segment(1000 * MS, DEMUX_LISTENER, client(4));
	struct demux_segment_more second;

	give_sock(&first, make_listener(LISTENER_ID, "0.0.0.0", 80));
	second = first;
	second.segment.head.mono_ns += later_ns;
	second.segment.head.cpu = cpu;
	give_parent(&first, first.segment.sock);
	give_child(&first, make_sock(100, S_SYN_RECV, client(4)));
	assert_false(comes(&first));
	assert_true(comes(&second));
	if (is_explained)
		return decided(VERDICT_EXPLAINED, "I3: another CPU was making");
	nothing_decided();
	found(cpu, later_ns + 100);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

static void test_second_cookie(void **state)
{
	(void)state;
	second_cookie(1, 10 * MS - 1, true);
}

static void test_second_cookie_late(void **state)
{
	(void)state;
	second_cookie(1, 10 * MS, false);
}

static void test_second_cookie_on_its_cpu(void **state)
{
	(void)state;
	second_cookie(0, 100, false);
}

/* CPU 0 makes a socket, which @cpu finds then. */
static struct demux_segment_more made_and_found(uint32_t cpu)
{
	struct demux_segment_more first = at_listener(1000 * MS);
	struct demux_segment_more found_it =
		make_match(1001 * MS, 100, client(4));

	first.segment.head.cpu = 0;
	give_parent(&first, first.segment.sock);
	give_child(&first, make_sock(100, S_SYN_RECV, client(4)));
	assert_false(comes(&first));
	found_it.segment.head.cpu = cpu;
	assert_false(comes(&found_it));
	return found_it;
}

/* That CPU has found the socket before, so it is made. */
static void test_found_and_passed_by(void **state)
{
	struct demux_segment_more second = at_listener(1002 * MS);

	(void)state;
	made_and_found(1);
	assert_true(comes(&second));
	nothing_decided();
	found(1, 3 * MS);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

/* A CPU that found it does not speak for another, nor of what it began before. */
static void test_found_elsewhere(void **state)
{
	struct demux_segment_more second = at_listener(1002 * MS);
	struct demux_segment_more found_it = made_and_found(0);

	(void)state;
	assert_true(comes(&second));
	decided(VERDICT_EXPLAINED, "I3: another CPU was making");
	found_it.segment.head.cpu = 1;
	assert_false(comes(&found_it));
	second.segment.head.mono_ns = 1001 * MS;
	assert_true(comes(&second));
	decided(VERDICT_EXPLAINED, "I3: another CPU was making");
}

/* A client connects, with the ends of a connection before that. */
static void test_connects(void **state)
{
	struct demux_segment_more open = make_match(1000 * MS, 100, client(4));
	struct demux_segment_more more =
		make_segment(1001 * MS - 1, DEMUX_NONE, client(4));

	(void)state;
	more.segment.head.cpu = 1;
	assert_false(comes(&open));
	/* The hook comes after the lookup; */
	more.segment.have &= ~DEMUX_HAVE_VIA;
	assert_true(comes(&more));
	decided(VERDICT_EXPLAINED, "I3: another CPU was making");
	/* not by so much; */
	more.segment.head.mono_ns++;
	assert_true(comes(&more));
	nothing_decided();
	held_free(&held);
	/* or before. */
	more.segment.head.mono_ns--;
	more.segment.have |= DEMUX_HAVE_VIA;
	more.segment.via = DEMUX_LOOKUP;
	assert_true(comes(&more));
	nothing_decided();
	held_free(&held);
	/* This CPU found it. */
	more.segment.have &= ~DEMUX_HAVE_VIA;
	more.segment.head.cpu = 0;
	assert_true(comes(&more));
	nothing_decided();
}

/* A server listens, after the lookup of what is nobody's and before the hook. */
static void test_listens(void **state)
{
	struct demux_segment_more more =
		make_segment(1001 * MS - 1, DEMUX_NONE, client(4));
	struct demux_listen listen = make_listen(
		1000 * MS, 1, "", make_listener(LISTENER_ID, "0.0.0.0", 80));

	(void)state;
	assert_false(comes(&listen));
	more.segment.have &= ~DEMUX_HAVE_VIA;
	more.segment.have |= DEMUX_HAVE_SDIF;
	expect(&more, VERDICT_EXPLAINED, "I9: a listener that could have");
	more.segment.head.mono_ns++;
	expect(&more, VERDICT_UNEXPLAINED, "I9: a listener could have");
	more.segment.head.mono_ns--;
	more.segment.have |= DEMUX_HAVE_VIA;
	more.segment.via = DEMUX_LOOKUP;
	expect(&more, VERDICT_UNEXPLAINED, "I9: a listener could have");
	/* Another one was there before. */
	listen.head.mono_ns = 1;
	listen.sock = make_listener(LISTENER_ID + 1, "10.0.0.1", 80);
	assert_false(comes(&listen));
	more.segment.have &= ~DEMUX_HAVE_VIA;
	expect(&more, VERDICT_UNEXPLAINED, "I9: a listener could have");
}

/* A VRF's listener; its member was not seen (a recording of an older version). The
 * connection with the same two ends, outside of the VRF, is none that it should have
 * had. */
static void test_of_a_vrf(void **state)
{
	struct demux_segment_more open = make_match(1, 100, client(4));
	struct demux_segment_more more =
		make_segment(1000 * MS, DEMUX_LISTENER, client(4));

	(void)state;
	give_sock(&more, make_listener(LISTENER_ID, "0.0.0.0", 80));
	more.segment.sock.ifindex = 7;
	assert_false(comes(&open));
	assert_false(comes(&more));
	expect(&more, VERDICT_EXPLAINED, "not seen");
}

/* Its verdict is none that a close could change. */
static void test_predicted(void **state)
{
	struct demux_segment_more open = make_match(1, 100, client(4));
	struct demux_segment_more more =
		make_segment(1000 * MS, DEMUX_NONE, client(4));

	(void)state;
	more.segment.predicted = DEMUX_PREDICTED_OUTCOME;
	assert_false(comes(&open));
	assert_false(comes(&more));
	expect(&more, VERDICT_EXPLAINED, "predicted");
}

/* So is it with one that has other ends. */
static void test_out_of_chain_elsewhere(void **state)
{
	struct demux_segment_why why = {
		.more = make_match(1000 * MS, 100, client(4)),
		.why.have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN,
	};

	(void)state;
	why.more.segment.have |= DEMUX_HAVE_WHY;
	why.more.segment.head.len = sizeof(why);
	why.more.segment.sock.ends.rport++;
	assert_false(comes(&why.more));
	expect(&why.more, VERDICT_UNEXPLAINED, "I1:");
}

static void test_twin(void **state)
{
	struct demux_segment_more one = make_match(1, 100, client(4));
	struct demux_segment_more two = make_match(1000 * MS, 101, client(4));

	(void)state;
	two.segment.head.cpu = 1;
	assert_false(comes(&one));
	assert_true(comes(&two));
	close_on(0, 1000 * MS + 500, DEMUX_UNHASHED, true);
	decided(VERDICT_EXPLAINED, "I6:");
	two.segment.head.mono_ns += MS;
	assert_false(comes(&two));
}

/* Its own segment closes it, and on its CPU. */
static void test_out_of_chain(void **state)
{
	struct demux_segment_why why = {
		.more = make_match(1000 * MS, 100, client(4)),
		.why.have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN,
	};
	struct demux_segment *seg = &why.more.segment;

	(void)state;
	seg->have |= DEMUX_HAVE_WHY;
	seg->head.len = sizeof(why);
	assert_true(comes(&why.more));
	close_on(0, 1000 * MS + 500, DEMUX_UNHASHED, true);
	decided(VERDICT_EXPLAINED, "I5:");
	/* It was told before. */
	assert_false(comes(&why.more));
	expect(&why.more, VERDICT_EXPLAINED, "I5:");
	/* One that is known, and has not closed. */
	seg->sock = make_sock(102, S_ESTABLISHED, client(6));
	seg->ends = client(6);
	why.why.have |= DEMUX_WHY_POSITION;
	assert_false(comes(&why.more));
	why.why.have &= ~DEMUX_WHY_POSITION;
	assert_true(comes(&why.more));
}

/* Of these nobody tells when they go, or they are in no chain. */
static void test_out_of_chain_and_does_not_wait(void **state)
{
	struct demux_segment_why why = {
		.more = at_listener(1000 * MS),
		.why.have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN,
	};
	struct demux_segment *seg = &why.more.segment;

	(void)state;
	seg->have |= DEMUX_HAVE_WHY;
	seg->head.len = sizeof(why);
	assert_false(comes(&why.more));
	seg->outcome = DEMUX_REQUEST;
	seg->sock = make_sock(300, S_NEW_SYN_RECV, client(4));
	assert_false(comes(&why.more));
}

/* The connection began after the lookup: its record came before. */
static void test_began_since(void **state)
{
	struct demux_segment_more more = at_listener(1000 * MS);
	struct demux_segment_more twin = make_match(1000 * MS, 101, client(4));

	(void)state;
	open_connection(1000 * MS);
	assert_false(comes(&more));
	assert_false(comes(&twin));
}

/* What is born of a SYN cookie was there already when the snapshot came by. */
static void test_its_own_child(void **state)
{
	struct demux_segment_more more = at_listener(1000 * MS);
	struct demux_accept before = make_before(
		1, 0, "", 0, 0, make_sock(100, S_ESTABLISHED, client(4)));

	(void)state;
	assert_false(comes(&before));
	give_parent(&more, more.segment.sock);
	give_child(&more, make_sock(100, S_SYN_RECV, client(4)));
	assert_false(comes(&more));
	more.child.id = 101;
	assert_true(comes(&more));
}

/* A request may be found beside its child, when another CPU made that. */
static void test_no_twin_of_a_request(void **state)
{
	struct demux_segment_more more =
		make_segment(1000 * MS, DEMUX_REQUEST, client(4));

	(void)state;
	give_sock(&more, make_sock(300, S_NEW_SYN_RECV, client(4)));
	open_connection(1);
	assert_false(comes(&more));
}

/* The verdict on these is another's. */
static void test_does_not_depend_on_it(void **state)
{
	struct demux_segment_more assigned = at_listener(1000 * MS);
	struct demux_segment_more unseen = at_listener(1000 * MS);
	struct demux_datagram datagram = make_datagram(
		1000 * MS, client(4), make_sock(101, S_ESTABLISHED, client(4)));

	(void)state;
	open_connection(1);
	assigned.segment.via = DEMUX_ASSIGNED;
	assert_false(comes(&assigned));
	unseen.segment.have &= ~DEMUX_HAVE_OUTCOME;
	assert_false(comes(&unseen));
	/* UDP's ports are others. */
	datagram.sock.flags = DEMUX_SOCK_UDP;
	assert_false(comes(&datagram));
}

static const struct CMUnitTest tests[] = {
	TEST(test_second_cookie),
	TEST(test_second_cookie_late),
	TEST(test_second_cookie_on_its_cpu),
	TEST(test_found_and_passed_by),
	TEST(test_found_elsewhere),
	TEST(test_connects),
	TEST(test_listens),
	TEST(test_of_a_vrf),
	TEST(test_predicted),
	TEST(test_out_of_chain_elsewhere),
	TEST(test_twin),
	TEST(test_out_of_chain),
	TEST(test_out_of_chain_and_does_not_wait),
	TEST(test_began_since),
	TEST(test_its_own_child),
	TEST(test_no_twin_of_a_request),
	TEST(test_does_not_depend_on_it),
};

RUN("judge_waits", tests)
