// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model_query.c - user/model_query.c: which listener or UDP socket could
 * have taken what came, and who owns a socket.
 */
#include "modelled.h"

#define DEVICE 2
#define MEMBER 5

static struct demux_datagram datagram;
static struct demux_segment_more segment;

static int begin_query(void **state)
{
	segment = make_segment(20, DEMUX_NONE, client(1000));
	datagram = make_datagram(20, client(1000), (struct demux_sock){ 0 });
	return begin(state);
}

/* What is asked for came in at 20. */
static const struct model_sock *bound_for(const void *record, uint32_t sdif)
{
	return model_find_bound(&model, record, DEVICE, sdif);
}

static void listens(uint64_t mono_ns, struct demux_sock sock)
{
	struct demux_listen listen = make_listen(mono_ns, 7, "web", sock);

	feed(&model, &listen);
}

static void binds(uint64_t mono_ns, struct demux_sock sock)
{
	struct demux_accept bind = make_accept(mono_ns, 7, "dns", 0, 0, sock);

	bind.head.type = DEMUX_BIND;
	feed(&model, &bind);
}

static struct demux_sock of_udp(uint64_t id, struct demux_ends ends)
{
	struct demux_sock sock =
		make_sock(id, ends.rport ? S_ESTABLISHED : S_CLOSE, ends);

	sock.flags = DEMUX_SOCK_UDP;
	return sock;
}

static void test_bound_at(void **state)
{
	(void)state;
	listens(1, make_listener(1, "10.0.0.9", 80));
	listens(1, make_listener(2, "10.0.0.1", 81));
	assert_null(bound_for(&segment, 0));
	listens(1, make_listener(3, "10.0.0.1", 80));
	assert_int_equal(bound_for(&segment, 0)->last.id, 3);
	/* One of any address will do as well. */
	listens(1, make_listener(4, "0.0.0.0", 80));
	assert_int_equal(bound_for(&segment, 0)->last.id, 4);
	segment.segment.netns++;
	assert_null(bound_for(&segment, 0));
}

static void test_bound_before(void **state)
{
	(void)state;
	listens(20, make_listener(1, "10.0.0.1", 80));
	assert_null(bound_for(&segment, 0));
	segment.segment.head.mono_ns = 21;
	assert_non_null(bound_for(&segment, 0));
}

static void test_bound_to_a_device(void **state)
{
	struct demux_sock sock = make_listener(1, "10.0.0.1", 80);

	(void)state;
	sock.ifindex = MEMBER;
	listens(1, sock);
	assert_null(bound_for(&segment, 0));
	assert_null(bound_for(&segment, MEMBER + 1));
	assert_non_null(bound_for(&segment, MEMBER));
	sock.id = 2;
	sock.ifindex = DEVICE;
	listens(1, sock);
	assert_int_equal(bound_for(&segment, 0)->last.id, 2);
}

/* The two have each their own port 80, and what is connected is no candidate. */
static void test_bound_of_its_kind(void **state)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));

	(void)state;
	feed(&model, &open);
	binds(1, of_udp(2, make_ends("10.0.0.1", 80, "10.0.0.2", 1000)));
	assert_null(bound_for(&segment, 0));
	assert_null(bound_for(&datagram, 0));
	binds(1, of_udp(3, make_ends("10.0.0.1", 80, "0.0.0.0", 0)));
	assert_null(bound_for(&segment, 0));
	assert_int_equal(bound_for(&datagram, 0)->last.id, 3);
	listens(1, make_listener(4, "10.0.0.1", 80));
	assert_int_equal(bound_for(&segment, 0)->last.id, 4);
	assert_int_equal(bound_for(&datagram, 0)->last.id, 3);
}

/* What it is bound to is not all known of one that is known by its ends. */
static void test_bound_by_ends(void **state)
{
	struct demux_sock sock = make_listener(1, "10.0.0.1", 80);
	struct demux_accept before;

	(void)state;
	sock.flags = DEMUX_SOCK_BY_ENDS;
	before = make_before(1, 7, "web", 3, 0, sock);
	feed(&model, &before);
	assert_null(bound_for(&segment, 0));
}

static void test_member(void **state)
{
	struct demux_sock sock = make_listener(1, "10.0.0.1", 80);
	const struct demux_arrival *got = (const void *)&segment;

	(void)state;
	listens(1, sock);
	assert_null(model_find_member(&model, &sock, got, DEVICE, 0));
	sock.flags = DEMUX_SOCK_REUSEPORT;
	listens(2, sock);
	assert_non_null(model_find_member(&model, &sock, got, DEVICE, 0));
	/* Of any address there is another group. */
	sock = make_listener(2, "0.0.0.0", 80);
	assert_null(model_find_member(&model, &sock, got, DEVICE, 0));
}

static void test_ends_of_its_kind(void **state)
{
	struct demux_ends ends = client(1000);
	struct demux_segment_more open = make_match(2, 2, ends);

	(void)state;
	binds(1, of_udp(1, ends));
	assert_null(model_find_ends(&model, &ends, MAKE_NETNS));
	feed(&model, &open);
	assert_int_equal(model_find_ends(&model, &ends, MAKE_NETNS)->last.id,
			 2);
	assert_null(model_find_ends(&model, &ends, MAKE_NETNS + 1));
}

static void test_owns(void **state)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));

	(void)state;
	feed(&model, &open);
	listens(1, make_listener(2, "10.0.0.1", 80));
	assert_false(model_owns(&model, 1, 7));
	assert_true(model_owns(&model, 2, 7));
	assert_false(model_owns(&model, 2, 8));
	assert_false(model_owns(&model, 3, 7));
}

static void test_gone_by_number(void **state)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));
	struct demux_close close = make_close(
		2, DEMUX_UNHASHED, make_sock(1, S_CLOSE, client(1000)));

	(void)state;
	feed(&model, &open);
	assert_false(model_is_gone_number(&model, 1));
	assert_true(model_is_gone_number(&model, 2)); /* forgotten */
	feed(&model, &close);
	assert_true(model_is_gone_number(&model, 1));
}

#undef TEST
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin_query, end)

static const struct CMUnitTest tests[] = {
	TEST(test_bound_at),          TEST(test_bound_before),
	TEST(test_bound_to_a_device), TEST(test_bound_of_its_kind),
	TEST(test_bound_by_ends),     TEST(test_member),
	TEST(test_ends_of_its_kind),  TEST(test_owns),
	TEST(test_gone_by_number),
};

RUN("model_query", tests)
