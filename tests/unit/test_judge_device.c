// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_judge_device.c - user/judge_waits.c and held.c: what waits for a socket that
 * is being bound to another device.
 */
#include "waiting.h"

/* The connection comes to be bound to device 7. */
static void rebinds(uint64_t mono_ns)
{
	struct demux_device device =
		make_device(mono_ns, make_sock(100, S_ESTABLISHED, client(4)));

	device.sock.ifindex = 7;
	comes(&device);
}

/* The lookup found it before, and its device was read since. */
static void found_elsewhere(uint64_t mono_ns, bool has_via)
{
	struct demux_segment_more more = make_match(mono_ns, 100, client(4));

	more.segment.have |= DEMUX_HAVE_SDIF;
	more.segment.ifindex = 2;
	more.segment.sock.ifindex = 7;
	if (!has_via)
		more.segment.have &= ~DEMUX_HAVE_VIA;
	assert_true(comes(&more));
}

static void test_rebound_since(void **state)
{
	(void)state;
	found_elsewhere(1000 * MS, true);
	nothing_decided();
	found(0, 1000); /* says nothing of that */
	nothing_decided();
	rebinds(1000 * MS + 2000);
	decided(VERDICT_EXPLAINED, "being bound to another device just then");
	/* What was told since may have come before. */
	found_elsewhere(1000 * MS + 2000, true);
	decided(VERDICT_EXPLAINED, "being bound to another device just then");
	found_elsewhere(1001 * MS + 2000, false);
	decided(VERDICT_EXPLAINED, "being bound to another device just then");
	found_elsewhere(1000 * MS + 2001, true);
	rebinds(1001 * MS); /* to the same */
	decided(VERDICT_UNEXPLAINED, "bound to another device");
}

/* A datagram by another device than its socket, which is the connection's, is bound
 * to. */
static struct demux_datagram datagram_elsewhere(uint64_t mono_ns)
{
	struct demux_sock sock = make_sock(
		100, S_CLOSE, make_ends("10.0.0.1", 80, "0.0.0.0", 0));
	struct demux_datagram datagram;

	sock.flags = DEMUX_SOCK_UDP;
	sock.ifindex = 7;
	datagram = make_datagram(mono_ns, client(4), sock);
	datagram.have |= DEMUX_HAVE_SDIF;
	datagram.ifindex = 2;
	assert_true(comes(&datagram));
	return datagram;
}

static void datagram_decided(enum verdict verdict)
{
	struct judge_wait wait;
	struct held_record *one = held_next(&held, &wait, &proof.judge.waited);

	assert_non_null(one);
	event = feed(&model, one->head);
	proof_datagram(&proof, &model, &event);
	assert_int_equal(event.verdict, verdict);
	free(one);
	while ((one = held_next(&held, &wait, &proof.judge.waited))) {
		event = feed(&model, one->head);
		free(one);
	}
}

static void test_datagram_rebound_since(void **state)
{
	struct demux_datagram datagram = datagram_elsewhere(1000 * MS);

	(void)state;
	nothing_decided();
	rebinds(1000 * MS + 2000);
	datagram_decided(VERDICT_EXPLAINED);
	/* Its group does not ask for the device. */
	datagram.have |= DEMUX_HAVE_GROUP;
	assert_false(comes(&datagram));
}

/* connect() to a link-local address binds it to its device. */
static void test_datagram_connected_since(void **state)
{
	struct demux_datagram datagram = datagram_elsewhere(1000 * MS);
	struct demux_accept connect =
		make_accept(1000 * MS + 2000, 1, "", 3, 0, datagram.sock);

	(void)state;
	connect.head.type = DEMUX_BIND;
	connect.sock.ifindex = 6;
	assert_true(comes(&connect));
	nothing_decided();
	connect.sock.ifindex = 7;
	assert_true(comes(&connect));
	datagram_decided(VERDICT_EXPLAINED);
	/* What was told since may have come before. */
	datagram_elsewhere(1000 * MS + 2000);
	datagram_decided(VERDICT_EXPLAINED);
	/* That the socket stays as it is says nothing. */
	connect.head.mono_ns = 1010 * MS;
	assert_false(comes(&connect));
	datagram_elsewhere(1005 * MS);
	datagram_decided(VERDICT_UNEXPLAINED);
	/* Nor does it where that comes after. */
	datagram_elsewhere(1020 * MS);
	connect.head.mono_ns = 1021 * MS;
	assert_true(comes(&connect));
	datagram_decided(VERDICT_UNEXPLAINED);
}

/* It got no segment of that device any more. */
static void test_passed_by_as_rebound(void **state)
{
	struct demux_segment_more open = make_match(1, 100, client(4));
	struct demux_segment_more more = at_listener(1000 * MS);

	(void)state;
	more.segment.have |= DEMUX_HAVE_SDIF;
	more.segment.ifindex = 2;
	assert_false(comes(&open));
	assert_true(comes(&more));
	nothing_decided();
	rebinds(1000 * MS + 2000);
	decided(VERDICT_EXPLAINED, "I3: a socket with these two ends was being "
				   "bound");
	/* By now it has what comes in there; when the lookup was, maybe not. */
	more.segment.ifindex = 7;
	assert_true(comes(&more));
	decided(VERDICT_EXPLAINED, "I3: a socket with these two ends was being "
				   "bound");
	more.segment.head.mono_ns += 2001;
	assert_true(comes(&more));
	nothing_decided();
	rebinds(1001 * MS); /* to the same */
	nothing_decided();
	rebinds(1200 * MS);
	decided(VERDICT_UNEXPLAINED, "I3:");
}

/* What tells of it came while another one waited. */
static void test_rebound_behind(void **state)
{
	struct demux_segment_more open = make_match(1, 101, client(5));
	struct demux_segment_more first = at_listener(1000 * MS);

	(void)state;
	first.segment.ends = client(5);
	assert_false(comes(&open));
	assert_true(comes(&first));
	found_elsewhere(1000 * MS, true);
	rebinds(1000 * MS + 2000);
	found_elsewhere(1000 * MS + 3000, true);
	held_expire(&held, 1200 * MS);
	assert_int_equal(next_waits(), FATE_STAYED);
	assert_int_equal(held.wait.fate, FATE_REBOUND);
	held_free(&held);
	assert_int_equal(held.abouts.count, 0);
}

/* A listener that was bound to another device than what is nobody's came in by. */
static void test_listener_rebound(void **state)
{
	struct demux_segment_more more =
		make_segment(1000 * MS, DEMUX_NONE, client(4));
	struct demux_device device =
		make_device(1, make_listener(200, "0.0.0.0", 80));

	(void)state;
	device.sock.ifindex = 7;
	assert_false(comes(&device));
	more.segment.have |= DEMUX_HAVE_SDIF | DEMUX_HAVE_VIA;
	more.segment.via = DEMUX_LOOKUP;
	expect(&more, VERDICT_PROVED, NULL);
	device.head.mono_ns = 1000 * MS + 1;
	device.sock.ifindex = 0;
	assert_false(comes(&device));
	expect(&more, VERDICT_EXPLAINED,
	       "I9: a listener that could have taken "
	       "it was being bound to another");
	more.segment.head.mono_ns++;
	expect(&more, VERDICT_UNEXPLAINED, "I9: a listener could have");
	more.segment.have &= ~DEMUX_HAVE_VIA;
	expect(&more, VERDICT_EXPLAINED,
	       "I9: a listener that could have taken "
	       "it was being bound to another");
	more.segment.head.mono_ns += 1 * MS;
	expect(&more, VERDICT_UNEXPLAINED, "I9: a listener could have");
}

/* The other socket with these ends was bound to the segment's device, and is bound to
 * another one before the lookup. */
static void test_twin_rebound(void **state)
{
	struct demux_segment_more one = make_match(1, 100, client(4));
	struct demux_segment_more two = make_match(1000 * MS, 101, client(4));

	(void)state;
	one.segment.have |= DEMUX_HAVE_SDIF;
	one.segment.ifindex = one.segment.sock.ifindex = 2;
	two.segment.have |= DEMUX_HAVE_SDIF;
	two.segment.ifindex = 2;
	assert_false(comes(&one));
	assert_true(comes(&two));
	nothing_decided();
	rebinds(1000 * MS + 2000);
	decided(VERDICT_EXPLAINED, "I6: another socket with these two ends was "
				   "being bound");
	/* It has what comes in there now; when the lookup was, maybe not. */
	two.segment.ifindex = 7;
	assert_true(comes(&two));
	decided(VERDICT_EXPLAINED, "I6: another socket with these two ends was "
				   "being bound");
	two.segment.head.mono_ns += 2001;
	assert_true(comes(&two));
	nothing_decided();
}

static const struct CMUnitTest tests[] = {
	TEST(test_rebound_since),
	TEST(test_datagram_rebound_since),
	TEST(test_datagram_connected_since),
	TEST(test_passed_by_as_rebound),
	TEST(test_rebound_behind),
	TEST(test_twin_rebound),
	TEST(test_listener_rebound),
};

RUN("judge_device", tests)
