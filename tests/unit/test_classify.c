// SPDX-License-Identifier: GPL-2.0-only
/* test_classify.c - bpf/classify.h: what a segment met, and its outcome. */
#include "test.h"

#include "classify.h"

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
	struct demux_ends sock = seg;

	(void)state;
	assert_true(may_be_released(&seg, &sock));
	sock.lport = 0;
	assert_true(may_be_released(&seg, &sock));
	sock.rport = 4001;
	assert_false(may_be_released(&seg, &sock));
	sock.rport = 0;
	sock.raddr[3] = 3;
	assert_false(may_be_released(&seg, &sock));
	memset(sock.raddr, 0, sizeof(sock.raddr));
	assert_true(may_be_released(&seg, &sock));
	sock.laddr[3] = 9;
	assert_false(may_be_released(&seg, &sock));
	sock = seg;
	sock.lport = 81;
	assert_false(may_be_released(&seg, &sock));
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_outcome_of_one_thing),
	cmocka_unit_test(test_outcome_of_several),
	cmocka_unit_test(test_via),
	cmocka_unit_test(test_released),
	cmocka_unit_test(test_same_addr),
	cmocka_unit_test(test_same_ends),
};

RUN("classify", tests)
