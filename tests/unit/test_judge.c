// SPDX-License-Identifier: GPL-2.0-only
/* test_judge.c - user/judge.c: the invariants that need more than the segment's
 * own socket, and their exceptions. */
#include "judged.h"

static void test_assigned(void **state)
{
	struct demux_segment_more more = syn(1, "127.0.0.1", 9999);

	(void)state;
	more.segment.via = DEMUX_ASSIGNED;
	expect(&more, VERDICT_EXPLAINED, "a program assigned");
	more.segment.have |= DEMUX_HAVE_ASSIGNED_BY;
	more.segment.assigned_by = DEMUX_BY_TPROXY;
	expect(&more, VERDICT_EXPLAINED, "TPROXY assigned");
	more.segment.assigned_by = DEMUX_BY_SK_ASSIGN;
	expect(&more, VERDICT_EXPLAINED, "(bpf_sk_assign) assigned");
	/* What it bears has the segment's ends all the same. */
	give_child(&more, make_sock(200, S_SYN_RECV, client(1001)));
	expect(&more, VERDICT_UNEXPLAINED, "I4: the child");
	more.segment.have &= ~DEMUX_HAVE_CHILD;
	/* Without the bit the number says nothing. */
	more.segment.have &= ~DEMUX_HAVE_VIA;
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
}

static void test_i2_sk_lookup(void **state)
{
	struct demux_segment_more more = syn(1, "127.0.0.1", 9999);

	(void)state;
	more.segment.have |= DEMUX_HAVE_SK_LOOKUP;
	more.segment.sk_lookup = 45;
	expect(&more, VERDICT_EXPLAINED,
	       "I2: the listener has another address "
	       "or port: the BPF program "
	       "(sk_lookup, id 45)");
	more.segment.notes |= DEMUX_NOTE_SK_LOOKUPS;
	expect(&more, VERDICT_EXPLAINED,
	       "I2: the listener has another address or port: one of the BPF "
	       "programs (sk_lookup, the first: id 45)");
	/* It chooses listeners only. */
	more.segment.sock = make_sock(9, S_ESTABLISHED, client(1001));
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
}

/* The listener that took a SYN which reopened TIME_WAIT is judged as well. */
static void test_i2_reopened(void **state)
{
	struct demux_segment_more more =
		make_segment(1, DEMUX_TIME_WAIT, client(1000));

	(void)state;
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	give_parent(&more, make_listener(100, "0.0.0.0", 81));
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
	more.segment.have |= DEMUX_HAVE_SK_LOOKUP;
	expect(&more, VERDICT_EXPLAINED, "I2:");
	more.segment.sock.netns++;
	expect(&more, VERDICT_UNEXPLAINED, "namespace");
}

/* Who chooses among listeners does not ask for the device. */
static void test_listener_of_another_device(void **state)
{
	struct demux_segment_more bound = syn(9, "0.0.0.0", 80);
	struct demux_segment_more other = syn(1, "0.0.0.0", 80);

	(void)state;
	bound.segment.sock.ifindex = bound.segment.ifindex + 1;
	bound.segment.have |= DEMUX_HAVE_SDIF;
	expect(&bound, VERDICT_UNEXPLAINED, "another device");
	bound.segment.sock.flags = DEMUX_SOCK_REUSEPORT;
	expect(&bound, VERDICT_UNEXPLAINED, "another device");
	/* There is one for the device, but in no group. */
	expect(&other, VERDICT_PROVED, NULL);
	expect(&bound, VERDICT_UNEXPLAINED, "another device");
	other.segment.sock.flags = DEMUX_SOCK_REUSEPORT;
	expect(&other, VERDICT_PROVED, NULL);
	expect(&bound, VERDICT_EXPLAINED, "SO_REUSEPORT");
	bound.segment.sock.flags = 0;
	expect(&bound, VERDICT_UNEXPLAINED, "another device");
	bound.segment.have |= DEMUX_HAVE_SK_LOOKUP;
	expect(&bound, VERDICT_EXPLAINED, "sk_lookup");
	other.segment.have |= DEMUX_HAVE_SK_LOOKUP;
	expect(&other, VERDICT_PROVED, NULL);
	bound.segment.sock.netns++;
	expect(&bound, VERDICT_EXPLAINED, "namespace");
	bound.segment.have &= ~DEMUX_HAVE_SK_LOOKUP;
	expect(&bound, VERDICT_UNEXPLAINED, "namespace");
	/* A group does not reach beyond its namespace. */
	bound.segment.sock.flags = DEMUX_SOCK_REUSEPORT;
	expect(&bound, VERDICT_UNEXPLAINED, "namespace");
}

/* I3, where the connection is bound to a device. */
static void test_i3_of_a_device(void **state)
{
	struct demux_segment_more open = make_match(1, 100, client(1000));
	struct demux_segment_more none =
		make_segment(2, DEMUX_NONE, client(1000));

	(void)state;
	open.segment.sock.ifindex = open.segment.ifindex;
	expect(&open, VERDICT_PROVED, NULL);
	expect(&none, VERDICT_PROVED, NULL);
	none.segment.have |= DEMUX_HAVE_SDIF;
	expect(&none, VERDICT_UNEXPLAINED, "I3:");
	none.segment.ifindex++;
	expect(&none, VERDICT_PROVED, NULL);
	none.segment.sdif = open.segment.ifindex;
	expect(&none, VERDICT_UNEXPLAINED, "I3:");
	/* A VRF's, and it is bound to none. */
	open.segment.sock.ifindex = 0;
	expect(&open, VERDICT_PROVED, NULL);
	expect(&none, VERDICT_PROVED, NULL);
	none.segment.sdif = 0;
	expect(&none, VERDICT_UNEXPLAINED, "I3:");
}

/* It is bound to a device later: what other devices bring is not its any more.
 * What it had before, and is told afterwards, does not make it so. */
static void test_i3_rebound(void **state)
{
	struct demux_segment_more open = make_match(1, 100, client(1000));
	struct demux_segment_more late = make_match(3, 100, client(1000));
	struct demux_segment_more none =
		make_segment(5, DEMUX_NONE, client(1000));
	struct demux_device device = make_device(4, open.segment.sock);

	(void)state;
	none.segment.have |= DEMUX_HAVE_SDIF;
	none.segment.ifindex = 3;
	expect(&open, VERDICT_PROVED, NULL);
	expect(&none, VERDICT_UNEXPLAINED, "I3:");
	device.sock.ifindex = 2;
	assert_int_equal(feed(&model, &device).sock->number, 1);
	expect(&none, VERDICT_PROVED, NULL);
	expect(&late, VERDICT_PROVED, NULL);
	expect(&none, VERDICT_PROVED, NULL);
	device.head.mono_ns = 6;
	device.sock.ifindex = 3;
	feed(&model, &device);
	none.segment.head.mono_ns = 7;
	expect(&none, VERDICT_UNEXPLAINED, "I3:");
}

/* Two have the same two ends, each of a device. */
static void expect_of(uint32_t first, uint32_t second,
		      struct demux_segment_more *more, const char *rule)
{
	struct demux_segment_more one = make_match(1, 100, client(1000));
	struct demux_segment_more two = make_match(2, 101, client(1000));

	one.segment.sock.ifindex = one.segment.ifindex = first;
	two.segment.sock.ifindex = two.segment.ifindex = second;
	expect(&one, VERDICT_PROVED, NULL);
	expect(&two, VERDICT_PROVED, NULL);
	expect(more, VERDICT_UNEXPLAINED, rule);
}

static void test_of_two_devices(void **state)
{
	struct demux_segment_more none =
		make_segment(3, DEMUX_NONE, client(1000));
	struct demux_segment_more third = make_match(3, 102, client(1000));

	none.segment.have |= DEMUX_HAVE_SDIF;
	none.segment.ifindex = 3;
	third.segment.ifindex = third.segment.sock.ifindex = 3;
	expect_of(2, 3, &none, "I3:");
	end(state);
	begin(state);
	expect_of(3, 2, &none, "I3:");
	end(state);
	begin(state);
	expect_of(2, 3, &third, "I6:");
	end(state);
	begin(state);
	expect_of(3, 2, &third, "I6:");
}

static void test_i5_in_its_chain(void **state)
{
	struct demux_segment_why why = {
		.more = make_match(1, 100, client(1000)),
		.why.have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN |
			    DEMUX_WHY_POSITION,
	};
	struct demux_segment *seg = &why.more.segment;

	(void)state;
	seg->have |= DEMUX_HAVE_WHY;
	seg->head.len = sizeof(why);
	expect(&why.more, VERDICT_PROVED, NULL);
	why.why.have &= ~DEMUX_WHY_POSITION;
	expect(&why.more, VERDICT_UNEXPLAINED, "I5:");
	proof.judge.waited = &(struct judge_wait){ .fate = FATE_LEFT };
	expect(&why.more, VERDICT_EXPLAINED, "I5:");
	proof.judge.waited = NULL;
	/* The walk did not come to the end. */
	why.why.have &= ~DEMUX_WHY_CHAIN;
	expect(&why.more, VERDICT_PROVED, NULL);
}

/* A request is replaced by its child; there is nobody who would tell. */
static void test_i5_of_a_request(void **state)
{
	struct demux_segment_why why = {
		.more = make_segment(1, DEMUX_REQUEST, client(1000)),
		.why.have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN,
	};

	(void)state;
	give_sock(&why.more, make_sock(300, S_NEW_SYN_RECV, client(1000)));
	why.more.segment.have |= DEMUX_HAVE_WHY;
	why.more.segment.head.len = sizeof(why);
	expect(&why.more, VERDICT_EXPLAINED, "I5:");
}

static void test_i6_one_socket(void **state)
{
	struct demux_segment_more one = make_match(1, 100, client(1000));
	struct demux_segment_more two = make_match(2, 101, client(1000));
	struct demux_close close = make_close(
		3, DEMUX_UNHASHED, make_sock(100, S_CLOSE, client(1000)));

	(void)state;
	expect(&one, VERDICT_PROVED, NULL);
	expect(&two, VERDICT_UNEXPLAINED, "I6:");
	proof.judge.waited = &(struct judge_wait){ .awaited = AWAITED_OTHER,
						   .fate = FATE_LEFT };
	expect(&two, VERDICT_EXPLAINED, "I6:");
	proof.judge.waited = NULL;
	feed(&model, &close);
	expect(&two, VERDICT_PROVED, NULL);
	/* Each has its device. */
	two = make_match(4, 102, client(1001));
	two.segment.sock.ifindex = two.segment.ifindex;
	expect(&two, VERDICT_PROVED, NULL);
	one = make_match(5, 103, client(1001));
	one.segment.ifindex = 3;
	expect(&one, VERDICT_PROVED, NULL);
	/* What is bound to none has now what came in by the other's. */
	one.segment.ifindex = 2;
	expect(&one, VERDICT_UNEXPLAINED, "I6:");
}

/* What @id was born of, and what accept() was called on. */
static void accept_of(uint64_t id, uint64_t born_of, uint64_t listener)
{
	struct demux_segment_more more =
		make_segment(2, DEMUX_REQUEST, client(id));
	struct demux_accept accept =
		make_accept(3, 7, "web", 4, listener,
			    make_sock(id, S_ESTABLISHED, client(id)));

	give_sock(&more, make_sock(id + 1, S_NEW_SYN_RECV, client(id)));
	give_parent(&more, make_listener(born_of, "0.0.0.0", 80));
	give_child(&more, make_sock(id, S_SYN_RECV, client(id)));
	expect(&more, VERDICT_PROVED, NULL);
	event = feed(&model, &accept);
	proof_accept(&proof, &model, &event);
}

static void test_i7_accept(void **state)
{
	struct demux_listen listen =
		make_listen(1, 7, "web", make_listener(91, "0.0.0.0", 80));
	struct demux_close close =
		make_close(4, DEMUX_UNHASHED, make_listener(90, "0.0.0.0", 80));

	(void)state;
	feed(&model, &listen);
	accept_of(1000, 90, 90);
	assert_int_equal(proof.strange_accepts, 0);
	accept_of(2000, 90, 91);
	assert_int_equal(proof.strange_accepts, 1);
	/* A listener that closes hands on what waits there. */
	feed(&model, &close);
	proof_accept(&proof, &model, &event);
	assert_int_equal(proof.strange_accepts, 1);
}

static struct demux_segment_more nobodys(uint64_t mono_ns, const char *addr)
{
	struct demux_segment_more more = make_segment(
		mono_ns, DEMUX_NONE, make_ends(addr, 80, "10.0.0.2", 1000));

	more.segment.have |= DEMUX_HAVE_SDIF;
	return more;
}

static void test_i9_nobody(void **state)
{
	struct demux_sock socks[] = { make_listener(1, "0.0.0.0", 81),
				      make_listener(2, "10.0.0.7", 80),
				      make_listener(3, "fd00::1", 80),
				      make_listener(4, "::", 80),
				      make_listener(5, "10.0.0.1", 80) };
	struct demux_segment_more more = nobodys(20, "10.0.0.1");
	struct demux_listen listen;
	struct demux_close close =
		make_close(21, DEMUX_UNHASHED, make_listener(6, "::", 80));

	(void)state;
	socks[3].flags = DEMUX_SOCK_V6ONLY;
	socks[4].ifindex = 7;
	for (size_t i = 0; i < 5; i++) {
		listen = make_listen(10 + i, 1, "web", socks[i]);
		feed(&model, &listen);
		expect(&more, VERDICT_PROVED, NULL);
	}
	more.segment.sdif = 7;
	expect(&more, VERDICT_UNEXPLAINED, "I9:");
	more.segment.sdif = 0;
	listen = make_listen(16, 1, "web", make_listener(6, "::", 80));
	feed(&model, &listen);
	expect(&more, VERDICT_UNEXPLAINED, "I9:");
	/* Before it listened, or after. */
	more.segment.head.mono_ns = 15;
	expect(&more, VERDICT_PROVED, NULL);
	feed(&model, &close);
	more.segment.head.mono_ns = 22;
	expect(&more, VERDICT_PROVED, NULL);
}

/* It was bound to a device since, which nobody told. */
static void test_i9_table_has_none(void **state)
{
	struct demux_listen listen =
		make_listen(10, 1, "web", make_listener(6, "10.0.0.1", 80));
	struct demux_segment_more more = nobodys(20, "10.0.0.1");

	(void)state;
	feed(&model, &listen);
	expect(&more, VERDICT_UNEXPLAINED, "without --detail");
	more.segment.notes = DEMUX_NOTE_NONE_LISTENS;
	expect(&more, VERDICT_PROVED, NULL);
}

static void test_i9_exceptions(void **state)
{
	struct demux_listen listen =
		make_listen(10, 1, "web", make_listener(6, "10.0.0.1", 80));
	struct demux_segment_more more = nobodys(20, "10.0.0.1");

	(void)state;
	feed(&model, &listen);
	more.segment.sdif = 7;
	expect(&more, VERDICT_EXPLAINED, "I9: it came in by a VRF");
	more.segment.sdif = 0;
	more.segment.have |= DEMUX_HAVE_SK_LOOKUP;
	expect(&more, VERDICT_EXPLAINED, "said no");
	more.segment.have &= ~DEMUX_HAVE_SK_LOOKUP;
	more.segment.notes = DEMUX_NOTE_MAY_REFUSE;
	expect(&more, VERDICT_EXPLAINED, "SO_REUSEPORT");
	more.segment.notes = 0;
	expect(&more, VERDICT_UNEXPLAINED, "I9:");
	/* Where the device was not seen, nothing is claimed. */
	more.segment.have &= ~DEMUX_HAVE_SDIF;
	expect(&more, VERDICT_PROVED, NULL);
	more = nobodys(20, "10.0.0.1");
	more.segment.have &= ~DEMUX_HAVE_PORTS;
	expect(&more, VERDICT_PROVED, NULL);
	more = nobodys(20, "10.0.0.1");
	more.segment.have &= ~DEMUX_HAVE_ADDRS;
	expect(&more, VERDICT_PROVED, NULL);
	more = nobodys(20, "10.0.0.1");
	more.segment.netns++;
	expect(&more, VERDICT_PROVED, NULL);
}

static const struct CMUnitTest tests[] = {
	TEST(test_assigned),          TEST(test_i2_sk_lookup),
	TEST(test_i2_reopened),       TEST(test_listener_of_another_device),
	TEST(test_i3_of_a_device),    TEST(test_i3_rebound),
	TEST(test_of_two_devices),    TEST(test_i5_in_its_chain),
	TEST(test_i5_of_a_request),   TEST(test_i6_one_socket),
	TEST(test_i7_accept),         TEST(test_i9_nobody),
	TEST(test_i9_table_has_none), TEST(test_i9_exceptions),
};

RUN("judge", tests)
