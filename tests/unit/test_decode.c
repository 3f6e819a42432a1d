// SPDX-License-Identifier: GPL-2.0-only
/* test_decode.c - user/decode.c: every check refuses, and nothing else does. */
#include "test.h"

#include <errno.h>

static struct event event;
static const char *problem;

static int take(const void *record, size_t len)
{
	return decode(&event, record, len, &problem);
}

static void expect_bad(const void *record, size_t len, const char *why)
{
	assert_int_equal(take(record, len), -EBADMSG);
	assert_non_null(problem);
	assert_contains(problem, why);
}

static struct demux_segment_more good_segment(void)
{
	return make_match(5, 77, make_ends("10.0.0.1", 80, "10.0.0.2", 4000));
}

static void test_length(void **state)
{
	struct demux_segment_more more = good_segment();
	struct demux_head *head = &more.segment.head;
	size_t len = sizeof(more.segment);

	(void)state;
	assert_int_equal(take(&more, len), 0);
	assert_null(problem);
	assert_int_equal(take(&more, len + 8), 0);
	expect_bad(&more, len - 1, "length");
	expect_bad(&more, sizeof(*head) - 1, "length");
	expect_bad(&more, 0, "length");
	head->len = sizeof(*head) - 8;
	expect_bad(&more, len, "length");
	head->len = len - 4;
	expect_bad(&more, len, "length");
	head->len = len + 8;
	expect_bad(&more, len, "length");
	head->len = len - 8;
	expect_bad(&more, len, "too short");
	/* A newer writer may have appended something. */
	head->len = len + 8;
	assert_int_equal(take(&more, len + 8), 0);
}

static void test_type(void **state)
{
	struct demux_segment_more more = good_segment();

	(void)state;
	for (unsigned int type = 0; type < 65536; type++) {
		more.segment.head.type = type;
		if (type >= DEMUX_SEGMENT && type <= DEMUX_DEVICE &&
		    type != DEMUX_FD)
			continue;
		assert_int_equal(take(&more, sizeof(more)), -ENOTSUP);
		assert_null(problem);
	}
	/* A type alone does not say that the length is good. */
	more.segment.head.len = 12;
	expect_bad(&more, sizeof(more), "length");
}

static void test_least_size(void **state)
{
	struct demux_sock sock = make_listener(9, "0.0.0.0", 80);
	struct demux_accept accept = make_accept(1, 2, "x", 3, 0, sock);
	struct demux_listen listen = make_listen(1, 2, "x", sock);
	struct demux_close close = make_close(1, DEMUX_UNHASHED, sock);
	struct demux_end end = make_end(1, 0, 0);
	struct demux_accept before = make_before(1, 2, "x", 3, 0, sock);
	struct demux_device device = make_device(1, sock);
	struct demux_head *heads[] = {
		&accept.head, &listen.head, &close.head,
		&end.head,    &before.head, &device.head
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t len = heads[i]->len;

		assert_int_equal(take(heads[i], len), 0);
		assert_ptr_equal(event.head, heads[i]);
		assert_ptr_equal(event.accept, heads[i]);
		heads[i]->len -= 8;
		expect_bad(heads[i], len, "too short");
	}
}

static void test_segment(void **state)
{
	struct demux_segment_more more = good_segment();
	struct demux_segment *seg = &more.segment;

	(void)state;
	for (unsigned int outcome = 0; outcome < 256; outcome++) {
		seg->outcome = outcome;
		assert_int_equal(!take(&more, sizeof(more)),
				 outcome >= DEMUX_ESTABLISHED &&
					 outcome <= DEMUX_MALFORMED);
	}
	seg->have &= ~DEMUX_HAVE_OUTCOME;
	assert_int_equal(take(&more, sizeof(more)), 0);
	for (unsigned int via = 0; via < 256; via++) {
		seg->via = via;
		assert_int_equal(!take(&more, sizeof(more)),
				 via >= DEMUX_EARLY_DEMUX &&
					 via <= DEMUX_ASSIGNED);
	}
	seg->have &= ~DEMUX_HAVE_VIA;
	assert_int_equal(take(&more, sizeof(more)), 0);
	for (unsigned int family = 0; family < 256; family++) {
		seg->ends.family = family;
		assert_int_equal(!take(&more, sizeof(more)),
				 family == 4 || family == 6);
	}
}

/* Each way in which a socket can be bad, in each place that has one. */
static void expect_socks_checked(void *record, struct demux_sock *sock)
{
	const struct demux_sock good = *sock;
	size_t len = ((struct demux_head *)record)->len;

	assert_int_equal(take(record, len), 0);
	sock->id = 0;
	expect_bad(record, len, "id");
	*sock = good;
	sock->state = 0;
	expect_bad(record, len, "state");
	sock->state = 16;
	expect_bad(record, len, "state");
	sock->state = S_ESTABLISHED;
	sock->substate = S_FIN_WAIT2;
	expect_bad(record, len, "substate");
	sock->substate = 0;
	*sock = good;
	sock->ends.family = 10;
	expect_bad(record, len, "family");
	*sock = good;
	assert_int_equal(take(record, len), 0);
}

static void test_socks(void **state)
{
	struct demux_segment_more more = good_segment();
	struct demux_sock sock = more.segment.sock;
	struct demux_accept accept = make_accept(1, 2, "x", 3, 0, sock);
	struct demux_listen listen = make_listen(1, 2, "x", sock);
	struct demux_close close = make_close(1, DEMUX_DESTROYED, sock);
	struct demux_accept before = make_before(1, 2, "x", 3, 0, sock);

	(void)state;
	expect_socks_checked(&more, &more.segment.sock);
	give_parent(&more, make_listener(5, "0.0.0.0", 80));
	expect_socks_checked(&more, &more.parent);
	give_child(&more, sock);
	expect_socks_checked(&more, &more.child);
	expect_socks_checked(&more, &more.parent);
	expect_socks_checked(&accept, &accept.sock);
	expect_socks_checked(&listen, &listen.sock);
	expect_socks_checked(&close, &close.sock);
	expect_socks_checked(&before, &before.sock);
	/* What the record says it does not have may be anything. */
	more.segment.have &=
		~(DEMUX_HAVE_SOCK | DEMUX_HAVE_PARENT | DEMUX_HAVE_CHILD);
	memset(&more.segment.sock, 0xff, sizeof(sock));
	memset(&more.parent, 0xff, sizeof(sock) * 2);
	assert_int_equal(take(&more, sizeof(more)), 0);
	assert_null(event.with_parent);
	assert_null(event.with_child);
}

/* Only what was there before may have an id that is made up, and it was in a
 * lookup table. */
static void test_before(void **state)
{
	struct demux_segment_more more = good_segment();
	struct demux_sock sock = more.segment.sock;
	struct demux_accept accept = make_accept(1, 2, "x", 3, 0, sock);
	struct demux_accept before = make_before(1, 2, "x", 3, 0, sock);

	(void)state;
	more.segment.sock.flags |= DEMUX_SOCK_BY_ENDS;
	expect_bad(&more, sizeof(more), "made-up id");
	accept.sock.flags |= DEMUX_SOCK_BY_ENDS;
	expect_bad(&accept, sizeof(accept), "made-up id");
	before.sock.flags |= DEMUX_SOCK_BY_ENDS;
	assert_int_equal(take(&before, sizeof(before)), 0);
	before.sock.state = S_CLOSE;
	expect_bad(&before, sizeof(before), "state");
}

static void test_more(void **state)
{
	struct demux_segment_more more = good_segment();

	(void)state;
	give_child(&more, more.segment.sock);
	assert_int_equal(take(&more, sizeof(more)), 0);
	assert_ptr_equal(event.with_child, &more.child);
	assert_null(event.with_parent);
	more.segment.head.len = sizeof(more) - 8;
	expect_bad(&more, sizeof(more), "too short for the sockets");
	more.segment.head.len = sizeof(more);
	more.segment.have &= ~DEMUX_HAVE_CHILD;
	give_parent(&more, make_listener(5, "::", 80));
	assert_int_equal(take(&more, sizeof(more)), 0);
	assert_ptr_equal(event.with_parent, &more.parent);
	assert_null(event.with_child);
	more.segment.head.len = sizeof(more.segment);
	expect_bad(&more, sizeof(more), "too short for the sockets");
}

static void test_close_and_end(void **state)
{
	struct demux_close close =
		make_close(1, DEMUX_UNHASHED, make_listener(9, "0.0.0.0", 80));
	struct demux_end end = make_end(1, 5, 3);

	(void)state;
	close.how = 0;
	expect_bad(&close, sizeof(close), "close");
	close.how = DEMUX_DESTROYED + 1;
	expect_bad(&close, sizeof(close), "close");
	close.how = DEMUX_DESTROYED;
	assert_int_equal(take(&close, sizeof(close)), 0);
	end.counters.filtered = end.counters.seen;
	assert_int_equal(take(&end, sizeof(end)), 0);
	end.counters.filtered++;
	expect_bad(&end, sizeof(end), "filtered");
}

/* Older recordings have shorter records: without the program that chose, and without
 * the device's member and the reason of a drop. */
static void test_datagram(void **state)
{
	struct demux_sock sock =
		make_sock(1, S_CLOSE, make_ends("10.0.0.1", 80, "0.0.0.0", 0));
	struct demux_datagram datagram;

	(void)state;
	sock.flags = DEMUX_SOCK_UDP;
	datagram = make_datagram(5, make_ends("10.0.0.1", 80, "10.0.0.2", 4000),
				 sock);
	datagram.have |= DEMUX_HAVE_SDIF | DEMUX_HAVE_CHOOSER;
	assert_int_equal(take(&datagram, sizeof(datagram)), 0);
	datagram.head.len = DEMUX_DATAGRAM_LEN2;
	expect_bad(&datagram, DEMUX_DATAGRAM_LEN2, "what it has");
	datagram.have &= ~DEMUX_HAVE_CHOOSER;
	assert_int_equal(take(&datagram, DEMUX_DATAGRAM_LEN2), 0);
	datagram.head.len = DEMUX_DATAGRAM_LEN;
	expect_bad(&datagram, DEMUX_DATAGRAM_LEN, "what it has");
	datagram.have &= ~DEMUX_HAVE_SDIF;
	datagram.have |= DEMUX_HAVE_DROP;
	expect_bad(&datagram, DEMUX_DATAGRAM_LEN, "what it has");
	datagram.have &= ~DEMUX_HAVE_DROP;
	assert_int_equal(take(&datagram, DEMUX_DATAGRAM_LEN), 0);
	datagram.sock.flags = 0;
	expect_bad(&datagram, DEMUX_DATAGRAM_LEN, "not UDP");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_datagram), cmocka_unit_test(test_length),
	cmocka_unit_test(test_type),     cmocka_unit_test(test_least_size),
	cmocka_unit_test(test_segment),  cmocka_unit_test(test_socks),
	cmocka_unit_test(test_more),     cmocka_unit_test(test_close_and_end),
	cmocka_unit_test(test_before),
};

RUN("decode", tests)
