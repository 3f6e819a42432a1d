// SPDX-License-Identifier: GPL-2.0-only
/* test_classify.c - bpf/classify.h: what a segment met, and its outcome. */
#include "test.h"

#include "classify_datagram.h"

static void test_outcome_of_one_thing(void **state)
{
	(void)state;
	assert_int_equal(classify_outcome(0), 0);
	assert_int_equal(classify_outcome(MET_FULL), DEMUX_ESTABLISHED);
	assert_int_equal(classify_outcome(MET_LISTENER), DEMUX_LISTENER);
	assert_int_equal(classify_outcome(MET_REQUEST), DEMUX_REQUEST);
	assert_int_equal(classify_outcome(MET_TIME_WAIT), DEMUX_TIME_WAIT);
	assert_int_equal(classify_outcome(MET_NOBODY), DEMUX_NONE);
	assert_int_equal(classify_outcome(MET_FILTER_DENIED), DEMUX_REFUSED);
	assert_int_equal(classify_outcome(MET_DROP), DEMUX_REFUSED);
	assert_int_equal(classify_outcome(MET_TOO_SHORT), DEMUX_MALFORMED);
	assert_int_equal(classify_outcome(MET_BAD_CSUM), DEMUX_MALFORMED);
}

static void test_outcome_of_several(void **state)
{
	static const struct {
		unsigned int met;
		enum demux_outcome outcome;
	} cases[] = {
		/* a stolen request, then the socket it became */
		{ MET_FULL | MET_REQUEST, DEMUX_ESTABLISHED },
		{ MET_FULL | MET_LISTENER, DEMUX_ESTABLISHED },
		{ MET_FULL | MET_FILTER_DENIED, DEMUX_REFUSED },
		{ MET_FULL | MET_DROP, DEMUX_ESTABLISHED },
		{ MET_FULL | MET_BAD_CSUM, DEMUX_ESTABLISHED },
		/* a SYN that reopens */
		{ MET_TIME_WAIT | MET_LISTENER, DEMUX_TIME_WAIT },
		{ MET_TIME_WAIT | MET_LISTENER | MET_FILTER_DENIED,
		  DEMUX_TIME_WAIT },
		/* answered with a reset after TIME_WAIT judged it */
		{ MET_TIME_WAIT | MET_NOBODY, DEMUX_TIME_WAIT },
		/* the request's listener is asked by the filter first */
		{ MET_REQUEST | MET_LISTENER, DEMUX_REQUEST },
		{ MET_REQUEST | MET_LISTENER | MET_DROP, DEMUX_REQUEST },
		{ MET_LISTENER | MET_FILTER_DENIED, DEMUX_REFUSED },
		{ MET_REQUEST | MET_LISTENER | MET_FILTER_DENIED,
		  DEMUX_REFUSED },
		{ MET_LISTENER | MET_DROP, DEMUX_LISTENER },
		{ MET_NOBODY | MET_DROP, DEMUX_NONE },
		{ MET_NOBODY | MET_BAD_CSUM, DEMUX_NONE },
		{ MET_DROP | MET_BAD_CSUM, DEMUX_MALFORMED },
		{ MET_DROP | MET_TOO_SHORT, DEMUX_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(classify_outcome(cases[i].met),
				 cases[i].outcome);
}

#define SYN TCP_FLAG_SYN
#define ACK TCP_FLAG_ACK
#define RST TCP_FLAG_RST
#define FIN TCP_FLAG_FIN

static void test_detail(void **state)
{
	static const struct {
		unsigned int met, flags, notes;
		enum demux_outcome outcome;
		enum demux_detail detail;
	} cases[] = {
		{ MET_FULL, ACK, 0, DEMUX_ESTABLISHED, DEMUX_TAKEN_UP },
		{ MET_FULL | MET_BACKLOG, ACK, 0, DEMUX_ESTABLISHED,
		  DEMUX_BACKLOG },
		{ MET_FULL | MET_BACKLOG_FULL, ACK, 0, DEMUX_ESTABLISHED,
		  DEMUX_BACKLOG_FULL },
		{ MET_FULL | MET_BACKLOG_FULL | MET_BAD_CSUM, ACK, 0,
		  DEMUX_ESTABLISHED, DEMUX_BAD_CHECKSUM },
		{ MET_FULL | MET_REQUEST | MET_STOLEN, ACK, 0,
		  DEMUX_ESTABLISHED, DEMUX_STOLEN },
		{ MET_LISTENER | MET_REQUEST_MADE, SYN, 0, DEMUX_LISTENER,
		  DEMUX_REQUEST_MADE },
		{ MET_LISTENER | MET_COOKIE_SENT, SYN, 0, DEMUX_LISTENER,
		  DEMUX_COOKIE_SENT },
		{ MET_LISTENER, SYN, 0, DEMUX_LISTENER, DEMUX_SYN_DROPPED },
		{ MET_LISTENER | MET_CHILD, ACK, 0, DEMUX_LISTENER,
		  DEMUX_COOKIE_ACCEPTED },
		{ MET_LISTENER | MET_HIDDEN | MET_CHILD, ACK, 0, DEMUX_LISTENER,
		  DEMUX_CHILD },
		/* Fast Open */
		{ MET_LISTENER | MET_CHILD, SYN, 0, DEMUX_LISTENER,
		  DEMUX_CHILD },
		{ MET_LISTENER, ACK, DEMUX_NOTE_RESET, DEMUX_LISTENER,
		  DEMUX_RESET },
		{ MET_LISTENER, RST, 0, DEMUX_LISTENER, DEMUX_IGNORED },
		{ MET_LISTENER, SYN | FIN, 0, DEMUX_LISTENER, DEMUX_IGNORED },
		{ MET_LISTENER | MET_BAD_CSUM, SYN, 0, DEMUX_LISTENER,
		  DEMUX_BAD_CHECKSUM },
		{ MET_LISTENER | MET_LISTENER_CLOSED, ACK, DEMUX_NOTE_RESET,
		  DEMUX_LISTENER, DEMUX_LISTENER_CLOSED },
		{ MET_NOBODY | MET_LISTENER_CLOSED, ACK, DEMUX_NOTE_RESET,
		  DEMUX_NONE, DEMUX_LISTENER_CLOSED },
		{ MET_REQUEST | MET_REQUEST_DONE | MET_CHILD, ACK, 0,
		  DEMUX_REQUEST, DEMUX_CHILD },
		{ MET_REQUEST | MET_REQUEST_DONE | MET_BAD_ACK, ACK,
		  DEMUX_NOTE_RESET, DEMUX_REQUEST, DEMUX_BAD_ACK },
		{ MET_REQUEST | MET_REQUEST_DONE | MET_SYN_REPEATED, SYN, 0,
		  DEMUX_REQUEST, DEMUX_SYN_REPEATED },
		{ MET_REQUEST | MET_REQUEST_DONE | MET_REQUEST_ENDED, RST, 0,
		  DEMUX_REQUEST, DEMUX_ENDED },
		{ MET_REQUEST | MET_REQUEST_DONE | MET_REQUEST_ENDED, SYN,
		  DEMUX_NOTE_RESET, DEMUX_REQUEST, DEMUX_RESET },
		{ MET_REQUEST | MET_REQUEST_DONE, ACK, 0, DEMUX_REQUEST,
		  DEMUX_KEPT },
		{ MET_REQUEST, ACK, 0, DEMUX_REQUEST, 0 },
		{ MET_TIME_WAIT | MET_SWALLOWED, ACK, 0, DEMUX_TIME_WAIT,
		  DEMUX_SWALLOWED },
		{ MET_TIME_WAIT | MET_ACKED, ACK, 0, DEMUX_TIME_WAIT,
		  DEMUX_ACKED },
		{ MET_TIME_WAIT, ACK, DEMUX_NOTE_RESET, DEMUX_TIME_WAIT,
		  DEMUX_RESET },
		{ MET_TIME_WAIT | MET_ACKED | MET_LISTENER, SYN, 0,
		  DEMUX_TIME_WAIT, DEMUX_REOPENED },
		{ MET_TIME_WAIT, ACK, 0, DEMUX_TIME_WAIT, 0 },
		{ MET_NOBODY, SYN, DEMUX_NOTE_RESET, DEMUX_NONE, DEMUX_RESET },
		{ MET_NOBODY, RST, 0, DEMUX_NONE, DEMUX_SILENT },
		{ MET_NOBODY, SYN, 0, DEMUX_NONE, DEMUX_SILENT },
		{ MET_FULL | MET_FILTER_DENIED, ACK, 0, DEMUX_REFUSED,
		  DEMUX_BY_FILTER },
		{ MET_DROP, ACK, 0, DEMUX_REFUSED, 0 },
		{ MET_TOO_SHORT | MET_DROP, 0, 0, DEMUX_MALFORMED,
		  DEMUX_BAD_HEADER },
		{ MET_BAD_CSUM, SYN, 0, DEMUX_MALFORMED, DEMUX_BAD_CHECKSUM },
		{ 0, ACK, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct demux_segment seg = { .flags = cases[i].flags,
					     .notes = cases[i].notes };

		seg.outcome = classify_outcome(cases[i].met);
		assert_int_equal(seg.outcome, cases[i].outcome);
		assert_int_equal(classify_detail(&seg, cases[i].met, 0),
				 cases[i].detail);
	}
}

/* Where there is no hook, silence says nothing. */
static void test_detail_of_the_blind(void **state)
{
	struct demux_segment seg = { .outcome = DEMUX_ESTABLISHED,
				     .flags = ACK };

	(void)state;
	assert_int_equal(classify_detail(&seg, MET_FULL, BLIND_BACKLOG), 0);
	assert_int_equal(classify_detail(&seg, MET_FULL, BLIND_SYN),
			 DEMUX_TAKEN_UP);
	seg.outcome = DEMUX_LISTENER;
	assert_int_equal(classify_detail(&seg, MET_LISTENER, BLIND_RESET), 0);
	seg.predicted = DEMUX_PREDICTED_OUTCOME;
	assert_int_equal(classify_detail(&seg, MET_LISTENER, 0), 0);
	seg.flags = SYN;
	assert_int_equal(classify_detail(&seg, MET_LISTENER, BLIND_SYN), 0);
	seg.outcome = DEMUX_NONE;
	assert_int_equal(classify_detail(&seg, MET_NOBODY, BLIND_RESET), 0);
	seg.flags = RST;
	assert_int_equal(classify_detail(&seg, MET_NOBODY, BLIND_RESET),
			 DEMUX_SILENT);
}

static void test_via(void **state)
{
	(void)state;
	assert_int_equal(classify_via(DEMUX_NONE, CARRIED_NONE), DEMUX_LOOKUP);
	assert_int_equal(classify_via(DEMUX_ESTABLISHED, CARRIED_MATCH),
			 DEMUX_EARLY_DEMUX);
	assert_int_equal(classify_via(DEMUX_LISTENER, CARRIED_OTHER),
			 DEMUX_ASSIGNED);
	assert_int_equal(classify_via(DEMUX_MALFORMED, CARRIED_MATCH), 0);
	assert_int_equal(classify_via(0, CARRIED_NONE), 0);
}

static void test_released(void **state)
{
	const struct demux_ends seg =
		make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	struct demux_sock sock = make_sock(1, S_CLOSE, seg);
	struct demux_ends *at = &sock.ends;

	(void)state;
	assert_true(may_be_released(&seg, &sock));
	at->lport = 0;
	assert_true(may_be_released(&seg, &sock));
	at->rport = 4001;
	assert_false(may_be_released(&seg, &sock));
	at->rport = 0;
	at->raddr[3] = 3;
	assert_false(may_be_released(&seg, &sock));
	memset(at->raddr, 0, sizeof(at->raddr));
	assert_true(may_be_released(&seg, &sock));
	at->laddr[3] = 9;
	assert_false(may_be_released(&seg, &sock));
	*at = seg;
	at->lport = 81;
	assert_false(may_be_released(&seg, &sock));
}

/* UDP has no state CLOSE that would say so. */
static void test_closing(void **state)
{
	const struct demux_ends seg =
		make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	struct demux_sock sock = make_sock(1, S_ESTABLISHED, seg);

	(void)state;
	assert_false(may_be_released(&seg, &sock));
	sock.ends.lport = 0;
	assert_true(may_be_released(&seg, &sock));
	sock.flags |= DEMUX_SOCK_UDP;
	assert_true(may_be_released(&seg, &sock));
	sock.state = S_CLOSE;
	assert_true(may_be_released(&seg, &sock));
	sock.ends.lport = seg.lport;
	assert_false(may_be_released(&seg, &sock));
	sock.flags = 0;
	assert_true(may_be_released(&seg, &sock));
}

static void test_same_addr(void **state)
{
	struct demux_ends v4 = make_ends("10.0.0.1", 1, "10.0.0.2", 2);
	struct demux_ends mapped =
		make_ends("::ffff:10.0.0.1", 1, "::ffff:10.0.0.2", 2);
	struct demux_ends other = make_ends("::fffe:10.0.0.1", 1, "::", 2);
	struct demux_ends v6 = make_ends("fd00::1", 1, "fd00::2", 2);
	struct demux_ends dirty = v4;

	(void)state;
	assert_true(same_addr(v4.laddr, 4, v4.laddr, 4));
	assert_false(same_addr(v4.laddr, 4, v4.raddr, 4));
	assert_true(same_addr(v4.laddr, 4, mapped.laddr, 6));
	assert_false(same_addr(v4.laddr, 4, mapped.raddr, 6));
	assert_false(same_addr(v4.laddr, 4, other.laddr, 6));
	assert_true(same_addr(v6.laddr, 6, v6.laddr, 6));
	assert_false(same_addr(v6.laddr, 6, v6.raddr, 6));
	/* An IPv6 segment is never an IPv4 socket's. */
	assert_false(same_addr(mapped.laddr, 6, v4.laddr, 4));
	/* Only four bytes of an IPv4 address mean something. */
	dirty.laddr[4] = 1;
	assert_true(same_addr(v4.laddr, 4, dirty.laddr, 4));
	assert_false(same_bytes(v4.laddr, dirty.laddr, 5));
}

static void test_same_ends(void **state)
{
	struct demux_ends seg = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	struct demux_ends sock = seg;

	(void)state;
	assert_true(same_ends(&seg, &sock));
	sock.lport++;
	assert_false(same_ends(&seg, &sock));
	sock = seg;
	sock.rport++;
	assert_false(same_ends(&seg, &sock));
	sock = seg;
	sock.laddr[3]++;
	assert_false(same_ends(&seg, &sock));
	sock = seg;
	sock.raddr[0]++;
	assert_false(same_ends(&seg, &sock));
	sock = make_ends("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 4000);
	assert_true(same_ends(&seg, &sock));
}

static struct demux_sock udp(__u8 state, const char *laddr, const char *raddr,
			     __u16 rport)
{
	struct demux_sock sock =
		make_sock(1, state, make_ends(laddr, 80, raddr, rport));

	sock.flags = DEMUX_SOCK_UDP;
	return sock;
}

/* connect() takes port 0, which is any; a disconnected IPv6 socket keeps its
 * peer's address, which IPv4 does not ask for. */
static void test_datagram_peer(void **state)
{
	const struct demux_ends got =
		make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	const __u8 base = DEMUX_SCORE_BASE, addr = base | DEMUX_SCORE_RADDR;
	const struct {
		struct demux_sock sock;
		int outcome, is_peer;
		__u8 parts;
	} cases[] = {
		{ udp(S_CLOSE, "10.0.0.1", "0.0.0.0", 0), DEMUX_UNCONNECTED, 1,
		  base },
		{ udp(S_ESTABLISHED, "10.0.0.1", "10.0.0.2", 4000),
		  DEMUX_CONNECTED, 1, addr | DEMUX_SCORE_RPORT },
		{ udp(S_ESTABLISHED, "10.0.0.1", "10.0.0.2", 4001),
		  DEMUX_CONNECTED, 0, addr | DEMUX_SCORE_RPORT },
		{ udp(S_ESTABLISHED, "10.0.0.1", "10.0.0.2", 0),
		  DEMUX_CONNECTED, 1, addr },
		{ udp(S_ESTABLISHED, "10.0.0.1", "10.0.0.3", 0),
		  DEMUX_CONNECTED, 0, addr },
		{ udp(S_CLOSE, "10.0.0.1", "10.0.0.2", 0), DEMUX_UNCONNECTED, 1,
		  addr },
		{ udp(S_CLOSE, "::", "::ffff:10.0.0.3", 0), DEMUX_UNCONNECTED,
		  1, base },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct demux_sock *sock = &cases[i].sock;

		assert_int_equal(classify_datagram(DATAGRAM_SOCKET, 0, sock),
				 cases[i].outcome);
		assert_int_equal(is_its_peer(&got, sock), cases[i].is_peer);
		assert_int_equal(datagram_score_parts(4, sock, 0),
				 cases[i].parts);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_outcome_of_one_thing),
	cmocka_unit_test(test_outcome_of_several),
	cmocka_unit_test(test_detail),
	cmocka_unit_test(test_detail_of_the_blind),
	cmocka_unit_test(test_via),
	cmocka_unit_test(test_released),
	cmocka_unit_test(test_closing),
	cmocka_unit_test(test_same_addr),
	cmocka_unit_test(test_same_ends),
	cmocka_unit_test(test_datagram_peer),
};

RUN("classify", tests)
