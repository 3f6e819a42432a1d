// SPDX-License-Identifier: GPL-2.0-only
/* test_proof.c - user/proof.c: the verdict on one segment. */
#include "judged.h"

static void test_names(void **state)
{
	(void)state;
	assert_null(proof_verdict_name(0));
	assert_string_equal(proof_verdict_name(1), "proved");
	assert_string_equal(proof_verdict_name(2), "explained");
	assert_string_equal(proof_verdict_name(3), "unexplained");
	assert_null(proof_verdict_name(4));
}

static void test_i1_own_ends(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_ends *ends = &more.segment.sock.ends;

	(void)state;
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.sock.id++;
	ends->rport = 1001;
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
	more.segment.sock.id++;
	*ends = make_ends("10.0.0.1", 80, "10.0.0.3", 1000);
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
	more.segment.sock.id++;
	*ends = make_ends("10.0.0.9", 80, "10.0.0.2", 1000);
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
	more.segment.sock.id++;
	*ends = make_ends("10.0.0.1", 81, "10.0.0.2", 1000);
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
	/* A socket that closes has given its port back, first that. */
	ends->lport = 0;
	expect(&more, VERDICT_EXPLAINED, "closed meanwhile");
	more.segment.sock.state = S_CLOSE;
	expect(&more, VERDICT_EXPLAINED, "closed meanwhile");
}

static void test_i1_mapped(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));

	(void)state;
	more.segment.sock.ends =
		make_ends("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 1000);
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.sock.ends =
		make_ends("::10.0.0.1", 80, "::10.0.0.2", 1000);
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
}

static void test_i2_listener(void **state)
{
	struct demux_segment_more more = syn(1, "0.0.0.0", 80);

	(void)state;
	expect(&more, VERDICT_PROVED, NULL);
	more = syn(2, "10.0.0.1", 80);
	expect(&more, VERDICT_PROVED, NULL);
	more = syn(3, "10.0.0.2", 80);
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
	more = syn(4, "0.0.0.0", 81);
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
	more = syn(5, "::", 80);
	expect(&more, VERDICT_PROVED, NULL);
	more = syn(6, "::ffff:10.0.0.1", 80);
	expect(&more, VERDICT_PROVED, NULL);
	more = syn(7, "fd00::1", 80);
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
	more = syn(8, "::", 80);
	more.segment.sock.flags = DEMUX_SOCK_V6ONLY;
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
	/* IPv6 segments: a v6-only listener is fine, an IPv4 one is not. */
	more.segment.ends = make_ends("fd00::1", 80, "fd00::2", 1000);
	expect(&more, VERDICT_PROVED, NULL);
	more = syn(9, "0.0.0.0", 80);
	more.segment.ends = make_ends("fd00::1", 80, "fd00::2", 1000);
	expect(&more, VERDICT_UNEXPLAINED, "I2:");
}

static void test_i3_nobody_has_the_ends(void **state)
{
	struct demux_segment_more open = make_match(1, 100, client(1000));
	struct demux_segment_more other = syn(2, "0.0.0.0", 80);
	struct demux_close close = make_close(
		4, DEMUX_UNHASHED, make_sock(100, S_CLOSE, client(1000)));

	(void)state;
	expect(&open, VERDICT_PROVED, NULL);
	expect(&other, VERDICT_UNEXPLAINED, "I3:");
	other.segment.ends.rport++;
	expect(&other, VERDICT_PROVED, NULL);
	other.segment.ends.rport--;
	feed(&model, &close);
	expect(&other, VERDICT_PROVED, NULL);
}

static void test_i4_request_and_child(void **state)
{
	struct demux_segment_more more =
		make_segment(1, DEMUX_REQUEST, client(1000));

	(void)state;
	give_sock(&more, make_sock(300, S_NEW_SYN_RECV, client(1000)));
	give_parent(&more, make_listener(100, "0.0.0.0", 80));
	expect(&more, VERDICT_PROVED, NULL);
	give_child(&more, make_sock(200, S_SYN_RECV, client(1000)));
	expect(&more, VERDICT_PROVED, NULL);
	more.child.id++;
	more.child.ends.rport++;
	expect(&more, VERDICT_UNEXPLAINED, "I4: the child");
	more.segment.sock.ends.rport++;
	expect(&more, VERDICT_UNEXPLAINED, "I4: the request");
	more = make_segment(5, DEMUX_REQUEST, client(1000));
	give_sock(&more, make_sock(301, S_NEW_SYN_RECV, client(1001)));
	expect(&more, VERDICT_UNEXPLAINED, "I4: the request");
}

/* 5.10 and 6.1 do not tell the socket of what they drop. */
static void test_predicted_drop(void **state)
{
	struct demux_segment_more more =
		make_segment(1, DEMUX_TIME_WAIT, client(1000));

	(void)state;
	expect(&more, VERDICT_UNEXPLAINED, "I10");
	more.segment.predicted = DEMUX_PREDICTED_OUTCOME;
	expect(&more, VERDICT_EXPLAINED, "predicted");
	more.segment.outcome = DEMUX_NONE;
	expect(&more, VERDICT_EXPLAINED, "predicted");
	/* Whoever it is, is judged. */
	more.segment.outcome = DEMUX_ESTABLISHED;
	give_sock(&more, make_sock(100, S_ESTABLISHED, client(1001)));
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
}

/* The listener was seen, the request looked up again: both are judged. */
static void test_predicted_request(void **state)
{
	struct demux_segment_more more =
		make_segment(1, DEMUX_REQUEST, client(1000));

	(void)state;
	give_sock(&more, make_sock(7, S_NEW_SYN_RECV, client(1000)));
	give_parent(&more, make_listener(8, "0.0.0.0", 80));
	more.segment.predicted = DEMUX_PREDICTED_SOCK;
	expect(&more, VERDICT_PROVED, NULL);
	more.parent.ends.lport = 81;
	expect(&more, VERDICT_EXPLAINED, "gave it the SYN");
	more.segment.predicted = 0;
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.predicted = DEMUX_PREDICTED_SOCK;
	more.segment.have &= ~DEMUX_HAVE_PARENT;
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.have |= DEMUX_HAVE_PARENT;
	more.segment.sock.netns++;
	expect(&more, VERDICT_UNEXPLAINED, "namespace");
	more.segment.sock.netns--;
	more.segment.sock.ends.rport++;
	expect(&more, VERDICT_UNEXPLAINED, "I4");
}

/* A SYN cookie, or Fast Open: the listener's segment bears a child, which is
 * not a socket that had these ends before. */
static void test_i4_child_of_a_listener(void **state)
{
	struct demux_segment_more more = syn(1, "0.0.0.0", 80);

	(void)state;
	give_parent(&more, more.segment.sock);
	give_child(&more, make_sock(200, S_SYN_RECV, client(1000)));
	expect(&more, VERDICT_PROVED, NULL);
}

static void test_time_wait(void **state)
{
	struct demux_segment_more more =
		make_segment(1, DEMUX_TIME_WAIT, client(1000));

	(void)state;
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	expect(&more, VERDICT_PROVED, NULL);
	give_parent(&more, make_listener(100, "0.0.0.0", 80));
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.sock.ends.rport++;
	expect(&more, VERDICT_UNEXPLAINED, "I1:");
}

static void test_place(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_segment_more other = syn(2, "0.0.0.0", 80);

	(void)state;
	more.segment.sock.netns++;
	expect(&more, VERDICT_UNEXPLAINED, "namespace");
	more.segment.have &= ~DEMUX_HAVE_NETNS;
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.sock.ifindex = more.segment.ifindex;
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.sock.ifindex++;
	expect(&more, VERDICT_EXPLAINED, "was not seen");
	more.segment.have |= DEMUX_HAVE_SDIF;
	expect(&more, VERDICT_UNEXPLAINED, "another device");
	more.segment.sdif = more.segment.sock.ifindex;
	expect(&more, VERDICT_PROVED, NULL);
	other.segment.ends.rport++;
	other.segment.sock.netns++;
	expect(&other, VERDICT_UNEXPLAINED, "namespace");
}

static void test_i10_one_outcome(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));

	(void)state;
	more.segment.have &= ~DEMUX_HAVE_OUTCOME;
	expect(&more, VERDICT_UNEXPLAINED, "I10: no hook");
	more = make_segment(2, DEMUX_ESTABLISHED, client(1000));
	expect(&more, VERDICT_UNEXPLAINED, "I10: matched");
	more = make_segment(3, DEMUX_NONE, client(1001));
	expect(&more, VERDICT_PROVED, NULL);
	more = make_segment(3, DEMUX_NONE, client(1000));
	expect(&more, VERDICT_UNEXPLAINED, "I3");
	more = make_segment(4, DEMUX_MALFORMED, client(1000));
	more.segment.have = DEMUX_HAVE_OUTCOME;
	expect(&more, VERDICT_PROVED, NULL);
	more = make_segment(5, DEMUX_REFUSED, client(1000));
	expect(&more, VERDICT_EXPLAINED, "refused before");
	more = make_match(6, 101, client(1002));
	more.segment.outcome = DEMUX_REFUSED;
	expect(&more, VERDICT_PROVED, NULL);
	more.segment.have &= ~DEMUX_HAVE_ADDRS;
	expect(&more, VERDICT_UNEXPLAINED, "headers");
	more.segment.have |= DEMUX_HAVE_ADDRS;
	more.segment.have &= ~DEMUX_HAVE_PORTS;
	expect(&more, VERDICT_UNEXPLAINED, "headers");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_names),
	TEST(test_i1_own_ends),
	TEST(test_i1_mapped),
	TEST(test_i2_listener),
	TEST(test_i3_nobody_has_the_ends),
	TEST(test_i4_request_and_child),
	TEST(test_predicted_request),
	TEST(test_predicted_drop),
	TEST(test_i4_child_of_a_listener),
	TEST(test_time_wait),
	TEST(test_place),
	TEST(test_i10_one_outcome),
};

RUN("proof", tests)
