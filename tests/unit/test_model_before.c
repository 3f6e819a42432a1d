// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model_before.c - user/model.c on sockets that were there before the
 * trace: their owners, what is told twice, and those that are known by their
 * ends alone.
 */
#include "modelled.h"

#define S 1000000000ull

static struct event before(uint64_t mono_ns, uint32_t pid, int fd,
			   struct demux_sock sock)
{
	static struct demux_accept record;

	record = make_before(mono_ns, pid, pid == 7 ? "seven" : "other", fd, 0,
			     sock);
	return feed(&model, &record);
}

static struct event match(uint64_t mono_ns, uint64_t id, struct demux_ends ends)
{
	static struct demux_segment_more more;

	more = make_match(mono_ns, id, ends);
	return feed(&model, &more);
}

static struct event accept_it(uint64_t mono_ns, uint32_t pid, uint64_t listener,
			      uint64_t id, struct demux_ends ends)
{
	static struct demux_accept record;

	record = make_accept(mono_ns, pid, "acceptor", 5, listener,
			     make_sock(id, S_ESTABLISHED, ends));
	return feed(&model, &record);
}

static struct event close_it(uint64_t mono_ns, uint32_t how, uint64_t id,
			     struct demux_ends ends)
{
	static struct demux_close record;

	record = make_close(mono_ns, how, make_sock(id, S_CLOSE, ends));
	return feed(&model, &record);
}

static struct demux_sock connected(uint64_t id, uint16_t port)
{
	return make_sock(id, S_ESTABLISHED, client(port));
}

static struct demux_sock by_ends(struct demux_sock sock)
{
	sock.flags |= DEMUX_SOCK_BY_ENDS;
	return sock;
}

static void test_known_from_the_start(void **state)
{
	struct port *port;
	struct event event;

	(void)state;
	before(1, 7, 3, make_listener(90, "0.0.0.0", 80));
	before(2, 7, 4, connected(100, 1000));
	before(3, 7, 5, connected(101, 1001));
	event = match(4, 101, client(1001));
	assert_int_equal(event.sock->number, 3);
	assert_true(event.sock->has_owner && event.sock->has_fd);
	assert_int_equal(event.sock->pid, 7);
	assert_int_equal(event.sock->fd, 5);
	assert_int_equal(event.sock->inode, 70005);
	assert_string_equal(event.sock->comm, "seven");
	assert_int_equal(event.sock->owners, 1);
	/* None of them was accepted in this trace, but all are there. */
	assert_int_equal(model.accepted, 0);
	port = ports_get(&model.ports, 80);
	assert_int_equal(port->listeners, 1);
	assert_int_equal(port->sockets, 2);
	assert_int_equal(port->remote_ends, 2);
	assert_int_equal(port->segments, 1);
}

static void test_several_owners(void **state)
{
	struct demux_sock listener = make_listener(90, "0.0.0.0", 80);
	struct event event;

	(void)state;
	before(1, 7, 3, listener);
	before(2, 7, 4, listener); /* dup() */
	event = before(3, 8, 3, listener);
	assert_int_equal(event.sock->owners, 2);
	before(4, 8, 9, listener);
	event = before(5, 9, 3, listener);
	assert_int_equal(event.sock->number, 1);
	assert_int_equal(event.sock->owners, 3);
	/* The first is its owner, and its first descriptor. */
	assert_int_equal(event.sock->pid, 7);
	assert_int_equal(event.sock->fd, 3);
	assert_string_equal(event.sock->comm, "seven");
	assert_int_equal(model.numbers, 1);
	assert_int_equal(ports_get(&model.ports, 80)->listeners, 1);
}

/* It waits in the accept queue, and then somebody accepts it. */
static void test_accepted_after(void **state)
{
	struct demux_accept waits =
		make_before(2, 0, "", 0, 90, connected(100, 1000));
	struct event event;

	(void)state;
	before(1, 7, 3, make_listener(90, "0.0.0.0", 80));
	event = feed(&model, &waits);
	assert_int_equal(event.sock->number, 2);
	assert_int_equal(event.parent->number, 1);
	assert_int_equal(event.sock->parent, 1);
	assert_false(event.sock->has_owner);
	assert_int_equal(event.sock->owners, 0);
	/* Until then it is its listener's. */
	assert_true(model_owns(&model, 100, 7));
	assert_false(model_owns(&model, 100, 8));
	event = accept_it(3, 8, 0, 100, client(1000));
	assert_int_equal(event.sock->number, 2);
	assert_int_equal(event.sock->parent, 1);
	assert_int_equal(event.sock->pid, 8);
	assert_int_equal(event.sock->owners, 1);
	assert_int_equal(model.accepted, 1);
	assert_int_equal(ports_get(&model.ports, 80)->sockets, 1);
}

/* Accepted a moment before the snapshot came by: told twice, and yet one. */
static void test_accepted_just_before(void **state)
{
	struct event event;

	(void)state;
	accept_it(1, 7, 0, 100, client(1000));
	event = before(2, 7, 5, connected(100, 1000));
	assert_int_equal(event.sock->number, 1);
	assert_int_equal(event.sock->owners, 1);
	assert_int_equal(model.accepted, 1);
	event = before(3, 8, 5, connected(100, 1000));
	assert_int_equal(event.sock->owners, 2);
	/* Who accepted it stays its owner. */
	before(4, 0, 0, connected(100, 1000));
	assert_int_equal(event.sock->pid, 7);
	assert_string_equal(event.sock->comm, "acceptor");
}

static void test_listen_overrides(void **state)
{
	struct demux_sock at = make_listener(90, "0.0.0.0", 80);
	struct demux_listen listen = make_listen(3, 8, "later", at);
	struct event event;

	(void)state;
	before(1, 7, 3, at);
	event = feed(&model, &listen);
	assert_int_equal(event.sock->number, 1);
	assert_int_equal(event.sock->pid, 8);
	/* One who accepts from it does not. */
	accept_it(4, 9, 90, 100, client(1000));
	assert_int_equal(event.sock->pid, 8);
}

/* A host has many clients of others: those that stay quiet are not summed up. */
static void test_quiet_ports(void **state)
{
	struct demux_ends ends = make_ends("10.0.0.1", 3000, "10.0.0.2", 80);
	struct port **rows;
	size_t count;

	(void)state;
	before(1, 7, 3, make_listener(90, "0.0.0.0", 80));
	before(2, 7, 4, make_sock(100, S_ESTABLISHED, ends));
	ends.lport = 3001;
	before(3, 7, 5, make_sock(101, S_ESTABLISHED, ends));
	before(4, 8, 5, make_sock(101, S_ESTABLISHED, ends));
	rows = ports_sorted(&model.ports, &count);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0]->port, 80);
	free(rows);
	match(5, 101, ends);
	ends.lport = 3000;
	ends.rport = 81;
	accept_it(6, 7, 0, 102, ends);
	rows = ports_sorted(&model.ports, &count);
	assert_int_equal(count, 3);
	assert_int_equal(rows[1]->sockets, 2);
	assert_int_equal(rows[2]->sockets, 1);
	free(rows);
}

static void test_closed_meanwhile(void **state)
{
	struct event event;

	(void)state;
	/* Its close is told a moment before it takes effect: it was still there,
	 * but must not stand in the way of what comes next. */
	close_it(S, DEMUX_UNHASHED, 100, client(1000));
	event = before(S + 1000, 7, 4, connected(100, 1000));
	assert_int_equal(event.sock->number, 1);
	assert_null(
		model_find_ends(&model, &event.accept->sock.ends, MAKE_NETNS));
	/* The other way about it was there, and then was not. */
	event = before(2 * S, 7, 5, connected(101, 1001));
	assert_ptr_equal(model_find_ends(&model, &event.accept->sock.ends,
					 MAKE_NETNS),
			 event.sock);
	event = close_it(3 * S, DEMUX_UNHASHED, 101, client(1001));
	assert_int_equal(event.sock->number, 2);
	assert_false(event.repeated);
	assert_null(
		model_find_ends(&model, &event.close->sock.ends, MAKE_NETNS));
}

static void test_memory_used_again(void **state)
{
	(void)state;
	before(1, 7, 4, connected(100, 1000));
	close_it(2, DEMUX_DESTROYED, 100, client(1000));
	assert_int_equal(before(3, 0, 0, connected(100, 1000)).sock->number, 2);
	assert_int_equal(match(4, 100, client(1000)).sock->number, 2);
	assert_false(match(5, 100, client(1000)).sock->has_owner);
}

/* A listener is no socket that a segment could have bypassed. */
static void test_listener_is_not_bypassed(void **state)
{
	struct demux_ends ends = make_ends("0.0.0.0", 80, "0.0.0.0", 0);

	(void)state;
	before(1, 7, 4, make_listener(90, "0.0.0.0", 80));
	assert_null(model_find_ends(&model, &ends, MAKE_NETNS));
}

/* --- by their ends alone --------------------------------------------------- */

static void test_adopted(void **state)
{
	struct event event;

	(void)state;
	before(1, 7, 4, by_ends(connected(555, 1000)));
	before(2, 7, 5, by_ends(connected(556, 1001)));
	event = match(3, 101, client(1001));
	assert_int_equal(event.sock->number, 2);
	assert_int_equal(event.sock->pid, 7);
	assert_int_equal(event.sock->fd, 5);
	assert_int_equal(match(4, 101, client(1001)).sock->number, 2);
	assert_ptr_equal(model_find(&model, 101), event.sock);
	assert_null(model_find(&model, 556));
	/* Other ends: none of these. */
	assert_int_equal(match(5, 102, client(1002)).sock->number, 3);
	assert_int_equal(ports_get(&model.ports, 80)->sockets, 3);
	event = close_it(6, DEMUX_DESTROYED, 100, client(1000));
	assert_int_equal(event.sock->number, 1);
	/* The same ends once more, on another address: another socket. */
	assert_int_equal(match(8, 103, client(1000)).sock->number, 4);
}

static void test_not_adopted(void **state)
{
	struct demux_segment_more more = make_match(3, 100, client(1000));

	(void)state;
	before(1, 7, 4, by_ends(connected(555, 1000)));
	more.segment.sock.netns++;
	assert_int_equal(feed(&model, &more).sock->number, 2);
	more = make_match(4, 101, client(1000));
	more.segment.sock.ifindex = 9;
	assert_int_equal(feed(&model, &more).sock->number, 3);
	/* What is left in its place is another socket. */
	more = make_segment(5, DEMUX_TIME_WAIT, client(1000));
	give_sock(&more, make_sock(102, S_TIME_WAIT, client(1000)));
	assert_int_equal(feed(&model, &more).sock->number, 4);
	assert_int_equal(match(6, 103, client(1000)).sock->number, 1);
}

static void test_adopted_listener(void **state)
{
	struct demux_segment_more syn =
		make_segment(3, DEMUX_LISTENER, client(1000));
	struct event event;

	(void)state;
	before(1, 7, 3, by_ends(make_listener(555, "0.0.0.0", 80)));
	before(1, 8, 3, by_ends(make_listener(555, "0.0.0.0", 80)));
	give_sock(&syn, make_listener(90, "0.0.0.0", 80));
	event = feed(&model, &syn);
	assert_int_equal(event.sock->number, 1);
	assert_int_equal(event.sock->owners, 2);
	event = accept_it(4, 8, 90, 100, client(1000));
	assert_int_equal(event.parent->number, 1);
	assert_int_equal(event.parent->pid, 7);
	assert_int_equal(ports_get(&model.ports, 80)->listeners, 1);
}

/* A closing one's state tells nothing. */
static void test_adopted_at_its_end(void **state)
{
	struct demux_close close =
		make_close(3, DEMUX_UNHASHED, make_listener(90, "0.0.0.0", 80));

	(void)state;
	before(1, 7, 3, by_ends(make_listener(555, "0.0.0.0", 80)));
	close.sock.state = S_CLOSE;
	assert_int_equal(feed(&model, &close).sock->number, 1);
	assert_non_null(model_find(&model, 90));
}

/* Of several that listen on one port nothing tells which is which. */
static void test_alike_listeners(void **state)
{
	struct demux_segment_more syn =
		make_segment(3, DEMUX_LISTENER, client(1000));
	struct event event;

	(void)state;
	before(1, 7, 3, by_ends(make_listener(555, "0.0.0.0", 80)));
	before(2, 8, 3, by_ends(make_listener(556, "0.0.0.0", 80)));
	give_sock(&syn, make_listener(90, "0.0.0.0", 80));
	event = feed(&model, &syn);
	assert_int_equal(event.sock->number, 3);
	assert_false(event.sock->has_owner);
}

/* What a hook told first has an address already. */
static void test_ends_of_a_known_one(void **state)
{
	struct demux_listen listen =
		make_listen(2, 7, "seven", make_listener(90, "0.0.0.0", 80));
	struct event event;

	(void)state;
	accept_it(1, 7, 0, 100, client(1000));
	feed(&model, &listen);
	event = before(3, 8, 9, by_ends(connected(555, 1000)));
	assert_int_equal(event.sock->number, 1);
	assert_int_equal(event.sock->owners, 2);
	assert_int_equal(event.sock->pid, 7);
	assert_ptr_equal(model_find(&model, 100), event.sock);
	event = before(4, 8, 9, by_ends(make_listener(556, "0.0.0.0", 80)));
	assert_int_equal(event.sock->number, 2);
	assert_int_equal(event.sock->owners, 2);
	assert_int_equal(model.numbers, 2);
	assert_int_equal(match(5, 100, client(1000)).sock->number, 1);
}

static void test_minisocks_by_ends(void **state)
{
	struct demux_segment_more more =
		make_segment(2 * S, DEMUX_TIME_WAIT, client(1000));

	(void)state;
	before(S, 0, 0, by_ends(make_sock(555, S_TIME_WAIT, client(1000))));
	before(S, 0, 0, by_ends(make_sock(556, S_NEW_SYN_RECV, client(1001))));
	give_sock(&more, make_sock(100, S_TIME_WAIT, client(1000)));
	assert_int_equal(feed(&model, &more).sock->number, 1);
	/* Neither stands in the way of a listener. */
	assert_null(
		model_find_ends(&model, &more.segment.sock.ends, MAKE_NETNS));
	match(300 * S, 200, client(1));
	match(302 * S, 200, client(1));
	assert_int_equal(model.socks.count, 1);
	assert_int_equal(model.ends.count, 1);
}

static const struct CMUnitTest tests[] = {
	TEST(test_known_from_the_start),
	TEST(test_several_owners),
	TEST(test_accepted_after),
	TEST(test_accepted_just_before),
	TEST(test_listen_overrides),
	TEST(test_quiet_ports),
	TEST(test_closed_meanwhile),
	TEST(test_memory_used_again),
	TEST(test_listener_is_not_bypassed),
	TEST(test_adopted),
	TEST(test_not_adopted),
	TEST(test_adopted_listener),
	TEST(test_adopted_at_its_end),
	TEST(test_alike_listeners),
	TEST(test_ends_of_a_known_one),
	TEST(test_minisocks_by_ends),
};

RUN("model_before", tests)
