// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model.c - user/model.c: which socket is which. Births, deaths, memory
 * that is used again, records that come late.
 */
#include "modelled.h"

#define S 1000000000ull

/* The number of the socket that an open connection's segment gets. */
static uint64_t match(uint64_t mono_ns, uint64_t id, struct demux_ends ends)
{
	struct demux_segment_more more = make_match(mono_ns, id, ends);

	return feed(&model, &more).sock->number;
}

/* It has given its port back. */
static uint64_t match_closed(uint64_t mono_ns, uint64_t id,
			     struct demux_ends ends)
{
	struct demux_segment_more more = make_match(mono_ns, id, ends);

	more.segment.sock.state = S_CLOSE;
	more.segment.sock.ends.lport = 0;
	return feed(&model, &more).sock->number;
}

static struct event close_it(uint64_t mono_ns, uint32_t how, uint64_t id,
			     struct demux_ends ends)
{
	static struct demux_close close;

	close = make_close(mono_ns, how, make_sock(id, S_CLOSE, ends));
	return feed(&model, &close);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(match(1, 100, client(1000)), 1);
	assert_int_equal(match(2, 200, client(2000)), 2);
	assert_int_equal(match(3, 100, client(1000)), 1);
	assert_int_equal(match(4, 300, client(3000)), 3);
	assert_int_equal(match(5, 200, client(2000)), 2);
	assert_int_equal(model.numbers, 3);
}

static void test_counts_segments(void **state)
{
	struct event event;

	(void)state;
	for (int i = 1; i <= 5; i++)
		match(i, 100, client(1000));
	match(6, 200, client(2000));
	event = close_it(7, DEMUX_UNHASHED, 100, client(1000));
	assert_int_equal(event.sock->segments, 5);
}

static void test_address_used_again(void **state)
{
	struct event event;

	(void)state;
	match(1 * S, 100, client(1000));
	event = close_it(2 * S, DEMUX_UNHASHED, 100, client(1000));
	assert_int_equal(event.sock->number, 1);
	assert_false(event.repeated);
	event = close_it(2 * S + 1, DEMUX_DESTROYED, 100, client(1000));
	assert_int_equal(event.sock->number, 1);
	assert_true(event.repeated);
	/* A record that another CPU made before, and that came later. */
	assert_int_equal(match(2 * S - 1, 100, client(1000)), 1);
	/* Early demux had found it, on another CPU. */
	assert_int_equal(match_closed(2 * S + 2, 100, client(1000)), 1);
	/* The very same ends, on the same memory, and yet another socket. */
	assert_int_equal(match(2 * S + 2, 100, client(1000)), 2);
	assert_int_equal(match(2 * S + 3, 100, client(1000)), 2);
	/* The first one's memory is not needed any more. */
	match(9 * S, 200, client(2000));
	assert_int_equal(model.socks.count, 2);
	assert_null(model.dead);
	assert_int_equal(match(9 * S + 1, 100, client(1000)), 2);
}

static void test_closed_then_used_again(void **state)
{
	(void)state;
	match(1, 100, client(1000));
	close_it(10, DEMUX_UNHASHED, 100, client(1000));
	assert_int_equal(match(9, 100, client(1000)), 1);
	assert_int_equal(match(10, 100, client(1000)), 1);
	/* The tracepoint comes before the state changes: another CPU may still
	 * match it. */
	assert_int_equal(match(11, 100, client(1000)), 1);
	assert_int_equal(match(S, 100, client(1000)), 2);
	close_it(S + 10, DEMUX_UNHASHED, 100, client(1000));
	assert_int_equal(match(S + 11, 100, client(1001)), 3);
}

/* Bound and closed, one after the other, on the same memory: early demux finds no
 * such socket. Nor is one that has another port what was connected there. */
static void test_closed_only(void **state)
{
	struct demux_ends bound = make_ends("10.0.0.1", 80, "0.0.0.0", 0);

	(void)state;
	for (int i = 1; i <= 3; i++) {
		struct event event = close_it(i, DEMUX_DESTROYED, 100, bound);

		assert_int_equal(event.sock->number, i);
		assert_false(event.repeated);
	}
	match(4, 100, client(1000));
	close_it(5, DEMUX_DESTROYED, 100, client(1000));
	assert_int_equal(match_closed(6, 100, client(1000)), 4);
	bound = client(1000);
	bound.lport = 81;
	assert_int_equal(close_it(7, DEMUX_DESTROYED, 100, bound).sock->number,
			 5);
	/* Nothing is behind for so long. */
	assert_int_equal(match_closed(S, 100, bound), 6);
}

/* Where the farewell was lost, other ends tell that it is another socket. */
static void test_other_ends(void **state)
{
	struct demux_segment_more more;

	(void)state;
	assert_int_equal(match(1, 100, client(1000)), 1);
	assert_int_equal(match(2, 100, client(1001)), 2);
	assert_int_equal(match(3, 100, client(1001)), 2);
	/* But a closing socket may have given its port back, and that first. */
	more = make_match(4, 100, client(0));
	more.segment.sock.ends.lport = 0;
	assert_int_equal(feed(&model, &more).sock->number, 2);
	more.segment.sock.state = S_CLOSE;
	assert_int_equal(feed(&model, &more).sock->number, 2);
	assert_int_equal(match(5, 100, client(1001)), 2);
}

static void test_listener_moves(void **state)
{
	struct demux_listen listen =
		make_listen(1, 7, "a", make_listener(100, "0.0.0.0", 80));

	(void)state;
	assert_int_equal(feed(&model, &listen).sock->number, 1);
	listen.head.mono_ns = 2;
	assert_int_equal(feed(&model, &listen).sock->number, 1);
	listen.sock.ends.lport = 81;
	assert_int_equal(feed(&model, &listen).sock->number, 2);
}

/* shutdown() ends it, and listen() makes another of it at once. */
static void test_listens_again(void **state)
{
	const struct demux_sock listener = make_listener(100, "0.0.0.0", 80);
	struct demux_listen listen = make_listen(1, 7, "a", listener);
	struct demux_close close = make_close(2, DEMUX_UNHASHED, listener);
	struct event event;

	(void)state;
	feed(&model, &listen);
	feed(&model, &close);
	listen.head.mono_ns = 3;
	event = feed(&model, &listen);
	assert_int_equal(event.sock->number, 2);
	assert_false(model_is_gone(event.sock));
	assert_true(event.sock->has_owner);
	/* Another thread closes it before that one is back from listen(). */
	close.head.mono_ns = 4;
	feed(&model, &close);
	listen.head.mono_ns = 5;
	listen.sock.state = S_CLOSE;
	event = feed(&model, &listen);
	assert_int_equal(event.sock->number, 2);
	assert_true(model_is_gone(event.sock));
}

static void test_close_alone(void **state)
{
	struct event event;

	(void)state;
	event = close_it(1, DEMUX_UNHASHED, 100, client(1000));
	assert_int_equal(event.sock->number, 1);
	assert_false(event.repeated);
	event = close_it(2, DEMUX_DESTROYED, 100, client(1000));
	assert_int_equal(event.sock->number, 1);
	assert_true(event.repeated);
	/* The next one on that memory says farewell too. */
	event = close_it(3, DEMUX_DESTROYED, 100, client(1001));
	assert_int_equal(event.sock->number, 2);
	assert_false(event.repeated);
}

static struct demux_segment_more make_birth(uint64_t mono_ns)
{
	struct demux_segment_more more =
		make_segment(mono_ns, DEMUX_REQUEST, client(1000));

	give_sock(&more, make_sock(300, S_NEW_SYN_RECV, client(1000)));
	give_parent(&more, make_listener(100, "0.0.0.0", 80));
	give_child(&more, make_sock(200, S_SYN_RECV, client(1000)));
	return more;
}

static void test_birth(void **state)
{
	struct demux_listen listen =
		make_listen(1, 7, "srv", make_listener(100, "0.0.0.0", 80));
	struct demux_segment_more more = make_birth(3);
	struct demux_accept accept =
		make_accept(4, 7, "srv", 5, 100,
			    make_sock(200, S_ESTABLISHED, client(1000)));
	struct event event;

	(void)state;
	feed(&model, &listen);
	event = feed(&model, &more);
	assert_int_equal(event.parent->number, 1);
	assert_int_equal(event.sock->number, 2);
	assert_int_equal(event.sock->parent, 1);
	assert_int_equal(event.child->number, 3);
	assert_int_equal(event.child->parent, 1);
	/* Until accept() it is its listener's. */
	assert_false(event.child->has_owner);
	assert_true(model_owns(&model, 200, 7));
	assert_false(model_owns(&model, 200, 8));
	event = feed(&model, &accept);
	assert_int_equal(event.sock->number, 3);
	assert_int_equal(event.parent->number, 1);
	assert_int_equal(model.accepted, 1);
	assert_true(event.sock->has_fd && event.sock->has_inode);
	assert_int_equal(event.sock->fd, 5);
	assert_int_equal(event.sock->inode, 70005);
	assert_string_equal(event.sock->comm, "srv");
	assert_int_equal(match(5, 200, client(1000)), 3);
}

/* Accepted by a worker before the segment's own record was read. */
static void test_accept_comes_first(void **state)
{
	struct demux_segment_more syn =
		make_segment(1, DEMUX_LISTENER, client(1000));
	struct demux_segment_more more = make_birth(3);
	struct demux_accept accept =
		make_accept(4, 9, "worker", 6, 100,
			    make_sock(200, S_ESTABLISHED, client(1000)));
	struct event event;

	(void)state;
	give_sock(&syn, make_listener(100, "0.0.0.0", 80));
	feed(&model, &syn);
	assert_false(model_owns(&model, 100, 9));
	event = feed(&model, &accept);
	assert_int_equal(event.sock->number, 2);
	assert_int_equal(event.sock->parent, 1);
	assert_true(model_owns(&model, 100, 9));
	assert_true(model_owns(&model, 200, 9));
	event = feed(&model, &more);
	assert_int_equal(event.child->number, 2);
	assert_int_equal(event.child->pid, 9);
	/* Who listens keeps the socket, whoever accepts from it. */
	accept.head.mono_ns = 5;
	accept.pid = 10;
	accept.sock = make_sock(400, S_ESTABLISHED, client(1001));
	event = feed(&model, &accept);
	assert_int_equal(event.parent->pid, 9);
	assert_true(model_owns(&model, 400, 10));
}

static void test_accept_without_details(void **state)
{
	struct demux_accept accept = make_accept(
		4, 9, "w", 6, 0, make_sock(200, S_ESTABLISHED, client(1)));
	struct event event;

	(void)state;
	accept.have = 0;
	event = feed(&model, &accept);
	assert_null(event.parent);
	assert_int_equal(event.sock->parent, 0);
	assert_false(event.sock->has_fd || event.sock->has_inode);
	/* A listener that nobody has met has no number. */
	accept.have = DEMUX_HAVE_LISTENER;
	accept.listener = 999;
	event = feed(&model, &accept);
	assert_null(event.parent);
}

/* Closed by its peer before accept(): the same socket still. */
static void test_accept_of_a_closed_one(void **state)
{
	struct demux_accept accept = make_accept(
		4, 9, "w", 6, 0, make_sock(200, S_CLOSE, client(1000)));

	(void)state;
	match(1, 200, client(1000));
	close_it(2, DEMUX_UNHASHED, 200, client(1000));
	assert_int_equal(feed(&model, &accept).sock->number, 1);
}

/* Memory is used again at once, and for the same client: what ends with this
 * very segment is not what is met there later. */
static void test_request_ends_at_birth(void **state)
{
	struct demux_segment_more first = make_birth(1);
	struct demux_segment_more again = make_birth(5);
	struct event event;

	(void)state;
	assert_int_equal(feed(&model, &first).sock->number, 1);
	close_it(3, DEMUX_DESTROYED, 200, client(1000));
	event = feed(&model, &again);
	assert_int_equal(event.child->number, 5);
	assert_int_equal(event.sock->number, 4);
}

/* A list of all sockets has those that are gone as well, but not without end. */
static void test_gone_and_kept(void **state)
{
	const uint64_t kept = 100000, all = kept + 3;

	(void)state;
	model.keeps_all = true;
	for (uint64_t id = 1; id <= all; id++) {
		match(id, id, client(1000));
		close_it(id, DEMUX_DESTROYED, id, client(1000));
	}
	assert_int_equal(model.dead_count, all);
	match(9 * S, all + 1, client(1000));
	assert_int_equal(model.dead_count, kept);
	assert_int_equal(model.forgotten, 3);
	assert_int_equal(model.dead->number, 4);
	model.keeps_all = false;
	match(10 * S, all + 1, client(1000));
	assert_null(model.dead);
	close_it(11 * S, DEMUX_DESTROYED, all + 1, client(1000));
	assert_int_equal(model.dead->number, all + 1);
}

static const struct CMUnitTest tests[] = {
	TEST(test_numbers),
	TEST(test_counts_segments),
	TEST(test_address_used_again),
	TEST(test_closed_only),
	TEST(test_closed_then_used_again),
	TEST(test_other_ends),
	TEST(test_listener_moves),
	TEST(test_listens_again),
	TEST(test_close_alone),
	TEST(test_birth),
	TEST(test_accept_comes_first),
	TEST(test_accept_without_details),
	TEST(test_accept_of_a_closed_one),
	TEST(test_request_ends_at_birth),
	TEST(test_gone_and_kept),
};

RUN("model", tests)
