// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model_ends.c - user/model.c: sockets by their two ends, the ports'
 * counts, and recordings that nobody's kernel ever made.
 */
#include "modelled.h"

#define S 1000000000ull

static struct model_sock *find(struct demux_ends ends)
{
	return model_find_ends(&model, &ends, MAKE_NETNS);
}

static void test_find_ends(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_ends ends = client(1000);
	struct event event;

	(void)state;
	assert_null(find(ends));
	event = feed(&model, &more);
	assert_ptr_equal(find(ends), event.sock);
	assert_null(find(client(1001)));
	assert_null(model_find_ends(&model, &ends, MAKE_NETNS + 1));
}

/* IPV6_ADDRFORM: it is the same socket, of the other family. */
static void test_family_changes(void **state)
{
	struct demux_ends mapped =
		make_ends("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 1000);
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_segment_more other = make_match(3, 100, client(1001));
	struct event event;

	(void)state;
	more.segment.sock.ends = mapped;
	assert_int_equal(feed(&model, &more).sock->number, 1);
	more.segment.sock.ends = client(1000);
	more.segment.head.mono_ns = 2;
	event = feed(&model, &more);
	assert_int_equal(event.sock->number, 1);
	assert_ptr_equal(find(client(1000)), event.sock);
	assert_int_equal(event.sock->last.ends.family, 4);
	/* A record from before, that came later. */
	more.segment.sock.ends = mapped;
	more.segment.head.mono_ns = 1;
	assert_int_equal(feed(&model, &more).sock->number, 1);
	assert_int_equal(feed(&model, &other).sock->number, 2);
}

/* What it has by then is not what it had. */
static void test_closing_keeps_its_ends(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));

	(void)state;
	feed(&model, &more);
	more.segment.head.mono_ns = 2;
	more.segment.sock.state = S_CLOSE;
	more.segment.sock.ends.lport = 0;
	assert_int_equal(feed(&model, &more).sock->number, 1);
	assert_non_null(find(client(1000)));
}

static void tells_reason(uint32_t number, const char *name,
			 const char *expected)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_reason reason = {
		.head = { .type = DEMUX_REASON, .len = sizeof(reason) },
		.reason = number,
	};
	struct event event;

	strcpy(reason.name, name);
	feed(&model, &reason);
	more.segment.have |= DEMUX_HAVE_REASON;
	more.segment.drop_reason = number;
	event = feed(&model, &more);
	if (expected)
		assert_string_equal(event.drop_reason, expected);
	else
		assert_null(event.drop_reason);
}

static void test_drop_reason(void **state)
{
	(void)state;
	tells_reason(3, "TCP_RESET", "TCP_RESET");
	tells_reason(4, "QUEUE_PURGE", NULL);
}

static void test_find_mapped(void **state)
{
	struct demux_ends mapped =
		make_ends("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 1000);
	struct demux_ends alike =
		make_ends("fd00::10.0.0.1", 80, "fd00::10.0.0.2", 1000);
	struct demux_segment_more more =
		make_segment(1, DEMUX_ESTABLISHED, client(1000));
	struct event event;

	(void)state;
	give_sock(&more, make_sock(100, S_ESTABLISHED, mapped));
	event = feed(&model, &more);
	assert_ptr_equal(find(client(1000)), event.sock);
	assert_ptr_equal(find(mapped), event.sock);
	assert_null(find(alike));
}

static void test_closed_is_not_found(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_close close = make_close(
		2, DEMUX_UNHASHED, make_sock(100, S_CLOSE, client(1000)));
	struct event event;

	(void)state;
	feed(&model, &more);
	feed(&model, &close);
	assert_null(find(client(1000)));
	/* Nor does a late record bring it back. */
	feed(&model, &more);
	assert_null(find(client(1000)));
	more.segment.head.mono_ns = S;
	event = feed(&model, &more);
	assert_int_equal(event.sock->number, 2);
	assert_ptr_equal(find(client(1000)), event.sock);
}

static void test_minis_and_listeners_are_not_found(void **state)
{
	struct demux_segment_more more =
		make_segment(1, DEMUX_TIME_WAIT, client(1000));
	struct demux_listen listen =
		make_listen(2, 7, "a", make_listener(100, "10.0.0.1", 80));

	(void)state;
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	feed(&model, &more);
	feed(&model, &listen);
	assert_null(find(client(1000)));
	assert_null(find(make_ends("10.0.0.1", 80, "0.0.0.0", 0)));
}

static void test_port_counts(void **state)
{
	struct demux_segment_more more;
	struct demux_listen listen =
		make_listen(1, 7, "a", make_listener(100, "0.0.0.0", 80));
	struct port *port;

	(void)state;
	feed(&model, &listen);
	for (uint64_t i = 0; i < 9; i++) {
		more = make_match(2 + i, 200 + i % 3, client(1000 + i % 3));
		feed(&model, &more);
	}
	more = make_segment(20, DEMUX_NONE, client(5));
	feed(&model, &more);
	more = make_segment(21, DEMUX_TIME_WAIT, client(6));
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(6)));
	feed(&model, &more);
	more.segment.outcome = DEMUX_NONE;
	feed(&model, &more);
	/* Refused: it had a socket and did not reach it. */
	more = make_match(22, 200, client(1000));
	more.segment.outcome = DEMUX_REFUSED;
	feed(&model, &more);
	more = make_segment(23, DEMUX_MALFORMED, client(6));
	more.segment.have &= ~DEMUX_HAVE_PORTS;
	feed(&model, &more);
	port = ports_get(&model.ports, 80);
	assert_int_equal(port->listeners, 1);
	assert_int_equal(port->sockets, 3);
	assert_int_equal(port->remote_ends, 3);
	assert_int_equal(port->segments, 13);
	assert_int_equal(port->matched, 10);
	assert_int_equal(port->misdelivered, 0);
	assert_int_equal(model.ports.table.count, 1);
}

/* One peer that comes back from the same port: two sockets, one end. */
static void test_peer_returns(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_close close = make_close(
		2, DEMUX_DESTROYED, make_sock(100, S_CLOSE, client(1000)));

	(void)state;
	feed(&model, &more);
	feed(&model, &close);
	more.segment.head.mono_ns = 3;
	feed(&model, &more);
	assert_int_equal(ports_get(&model.ports, 80)->sockets, 2);
	assert_int_equal(ports_get(&model.ports, 80)->remote_ends, 1);
}

/* One that disconnects, connect(AF_UNSPEC), and connects again at once: its close may
 * take effect a moment later, but what connects has been closed. */
static void test_connects_again(void **state)
{
	struct demux_segment_more more = make_match(1, 100, client(1000));
	struct demux_close close = make_close(
		2, DEMUX_UNHASHED, make_sock(100, S_CLOSE, client(1000)));
	struct demux_ends ends = client(1000);
	uint64_t number;

	(void)state;
	number = feed(&model, &more).sock->number;
	feed(&model, &close);
	more.segment.head.mono_ns = 3;
	assert_int_equal(feed(&model, &more).sock->number, number);
	assert_null(find(ends));
	more.segment.head.mono_ns = 4;
	more.segment.sock.state = S_SYN_SENT;
	assert_int_equal(feed(&model, &more).sock->number, number + 1);
	assert_non_null(find(ends));
	more.segment.head.mono_ns = S;
	more.segment.sock.state = S_ESTABLISHED;
	assert_int_equal(feed(&model, &more).sock->number, number + 1);
}

/* A connecting socket has no remote end before connect(). */
static void test_unconnected_is_not_counted(void **state)
{
	struct demux_close close =
		make_close(1, DEMUX_UNHASHED,
			   make_sock(100, S_CLOSE,
				     make_ends("0.0.0.0", 90, "0.0.0.0", 0)));

	(void)state;
	feed(&model, &close);
	assert_int_equal(model.ports.table.count, 0);
}

/* Time 0 is no time that a kernel says; no memory may suffer from it. */
static void test_time_zero(void **state)
{
	struct demux_close close = make_close(
		0, DEMUX_DESTROYED, make_sock(100, S_CLOSE, client(1000)));
	struct demux_segment_more more = make_match(5 * S, 101, client(1));

	(void)state;
	feed(&model, &close);
	feed(&model, &close);
	feed(&model, &close);
	feed(&model, &more);
	more.segment.head.mono_ns = 9 * S;
	feed(&model, &more);
}

/* The very segment that lets idle minisocks be swept away meets one's heir. */
static void test_swept_and_met_at_once(void **state)
{
	struct demux_segment_more more =
		make_segment(1 * S, DEMUX_TIME_WAIT, client(1000));
	struct demux_segment_more heir = make_match(400 * S, 300, client(1000));

	(void)state;
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	feed(&model, &more);
	assert_int_equal(feed(&model, &heir).sock->number, 2);
	heir.segment.head.mono_ns = 405 * S;
	assert_int_equal(feed(&model, &heir).sock->number, 2);
	assert_non_null(find(client(1000)));
}

/* A late record of one that is buried must not outlive its memory. */
static void test_buried_and_met_late(void **state)
{
	struct demux_segment_more more =
		make_segment(1 * S, DEMUX_TIME_WAIT, client(1000));
	struct demux_segment_more other = make_match(400 * S, 301, client(1));
	struct demux_segment_more late = make_match(50 * S, 300, client(1000));

	(void)state;
	give_sock(&more, make_sock(300, S_TIME_WAIT, client(1000)));
	feed(&model, &more);
	feed(&model, &other);
	feed(&model, &late);
	other.segment.head.mono_ns = 405 * S;
	feed(&model, &other);
	assert_null(find(client(1000)));
}

static struct demux_accept time_wait_before(uint64_t mono_ns, uint16_t port)
{
	struct demux_sock sock = make_sock(300, S_TIME_WAIT, client(port));

	sock.flags |= DEMUX_SOCK_BY_ENDS;
	return make_before(mono_ns, 0, "", -1, 0, sock);
}

/* Bound to another device after it was listed, and no second one. */
static void test_listed_and_rebound(void **state)
{
	struct demux_sock sock = make_sock(300, S_ESTABLISHED, client(1000));
	struct demux_device device = make_device(101, sock);
	struct demux_accept before;
	struct event event;

	(void)state;
	sock.id = 555;
	sock.flags |= DEMUX_SOCK_BY_ENDS;
	before = make_before(100, 7, "srv", 4, 0, sock);
	device.sock.ifindex = 7;
	feed(&model, &before);
	event = feed(&model, &device);
	assert_int_equal(event.sock->number, 1);
	assert_int_equal(event.sock->last.ifindex, 7);
	assert_ptr_equal(find(client(1000)), event.sock);
	assert_null(model_next_ends(event.sock, &sock.ends));
}

/* One that is buried is not found by its ends any more, so that its heir is not
 * taken for it when its memory goes. */
static void test_buried_and_listed(void **state)
{
	struct demux_accept before = time_wait_before(100, 1000);
	struct demux_accept heir = time_wait_before(101, 1001);
	struct demux_segment_more reopened =
		make_segment(100, DEMUX_TIME_WAIT, client(1000));
	struct demux_segment_more same =
		make_segment(101, DEMUX_TIME_WAIT, client(1000));
	struct demux_segment_more late = make_match(3 * S, 302, client(1));

	(void)state;
	give_sock(&reopened, make_sock(300, S_TIME_WAIT, client(1000)));
	give_parent(&reopened, make_listener(400, "10.0.0.1", 80));
	give_sock(&same, make_sock(301, S_TIME_WAIT, client(1000)));
	feed(&model, &before);
	feed(&model, &reopened);
	feed(&model, &before);
	feed(&model, &heir);
	feed(&model, &same);
	feed(&model, &late);
	late.segment.head.mono_ns = 6 * S;
	feed(&model, &late);
}

static const struct CMUnitTest tests[] = {
	TEST(test_find_ends),
	TEST(test_family_changes),
	TEST(test_closing_keeps_its_ends),
	TEST(test_drop_reason),
	TEST(test_find_mapped),
	TEST(test_closed_is_not_found),
	TEST(test_minis_and_listeners_are_not_found),
	TEST(test_port_counts),
	TEST(test_peer_returns),
	TEST(test_connects_again),
	TEST(test_unconnected_is_not_counted),
	TEST(test_time_zero),
	TEST(test_swept_and_met_at_once),
	TEST(test_buried_and_met_late),
	TEST(test_listed_and_rebound),
	TEST(test_buried_and_listed),
};

RUN("model_ends", tests)
