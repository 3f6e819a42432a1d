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

/* One that was there before is surer to have been, wherever it is bound; and by a
 * VRF one that is bound to that. */
static void test_bound_surely(void **state)
{
	struct demux_sock sock = make_listener(3, "0.0.0.0", 80);

	(void)state;
	listens(9, make_listener(1, "0.0.0.0", 80));
	listens(8, make_listener(2, "10.0.0.1", 80));
	assert_int_equal(bound_for(&segment, 0)->last.id, 2);
	sock.ifindex = MEMBER;
	listens(10, sock);
	assert_int_equal(bound_for(&segment, 0)->last.id, 2);
	assert_int_equal(bound_for(&segment, MEMBER)->last.id, 3);
	listens(7, make_listener(4, "0.0.0.0", 80));
	assert_int_equal(bound_for(&segment, 0)->last.id, 4);
	assert_int_equal(bound_for(&segment, MEMBER)->last.id, 3);
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

/* Another one with its ends, that is bound to @ifindex: has that had the segment,
 * which came in by @DEVICE to one that is bound to @bound? */
static bool is_twin(uint32_t ifindex, uint32_t bound)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));
	struct demux_segment_more more = make_match(2, 2, client(1000));
	struct demux_segment *seg = &more.segment;

	open.segment.sock.ifindex = ifindex;
	feed(&model, &open);
	seg->ifindex = DEVICE;
	seg->sock.ifindex = bound;
	return model_find_twin(&model, seg, &seg->sock);
}

static void test_twin_of_a_device(void **state)
{
	assert_true(is_twin(DEVICE, DEVICE));
	end(state);
	begin_query(state);
	assert_false(is_twin(MEMBER, DEVICE));
	end(state);
	begin_query(state);
	/* It is the one that is meant. */
	assert_false(is_twin(0, DEVICE));
	end(state);
	begin_query(state);
	assert_true(is_twin(DEVICE, 0));
	end(state);
	begin_query(state);
	assert_false(is_twin(MEMBER, 0));
}

/* What is matched is bound to none: does one of @ifindex count that came in by
 * @seg's, where the kernel was asked by which member of a VRF, too? */
static void test_twin_by_a_member(void **state)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));
	struct demux_segment_more more = make_match(2, 2, client(1000));
	struct demux_segment *seg = &more.segment;

	(void)state;
	open.segment.sock.ifindex = MEMBER;
	feed(&model, &open);
	seg->ifindex = DEVICE;
	seg->sdif = MEMBER;
	assert_null(model_find_twin(&model, seg, &seg->sock));
	seg->have |= DEMUX_HAVE_SDIF;
	assert_non_null(model_find_twin(&model, seg, &seg->sock));
}

/* By lo comes what the host sends itself by another device. */
static void test_twin_by_loopback(void **state)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));
	struct demux_segment_more more = make_match(2, 2, client(1000));
	struct demux_segment *seg = &more.segment;

	(void)state;
	open.segment.sock.ifindex = seg->ifindex = 1;
	feed(&model, &open);
	assert_null(model_find_twin(&model, seg, &seg->sock));
	seg->have |= DEMUX_HAVE_SDIF;
	assert_non_null(model_find_twin(&model, seg, &seg->sock));
}

/* A request has its child's ends; but one that is bound to none has what is
 * for a connection of that device. */
static void test_twin_of_a_request(void **state)
{
	struct demux_segment_more open = make_match(1, 1, client(1000));
	struct demux_segment_more more = make_match(2, 2, client(1000));
	struct demux_segment *seg = &more.segment;

	(void)state;
	seg->sock.state = S_NEW_SYN_RECV;
	feed(&model, &open);
	assert_null(model_find_twin(&model, seg, &seg->sock));
	open.segment.sock.ifindex = seg->ifindex = DEVICE;
	open.segment.head.mono_ns = seg->head.mono_ns = 3;
	seg->head.mono_ns++;
	feed(&model, &open);
	assert_non_null(model_find_twin(&model, seg, &seg->sock));
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
	assert_false(model_is_gone(model_find_number(&model, 1)));
	assert_null(model_find_number(&model, 2)); /* forgotten */
	feed(&model, &close);
	assert_true(model_is_gone(model_find_number(&model, 1)));
}

#undef TEST
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin_query, end)

static const struct CMUnitTest tests[] = {
	TEST(test_bound_at),
	TEST(test_bound_before),
	TEST(test_bound_to_a_device),
	TEST(test_bound_of_its_kind),
	TEST(test_bound_by_ends),
	TEST(test_member),
	TEST(test_bound_surely),
	TEST(test_ends_of_its_kind),
	TEST(test_owns),
	TEST(test_gone_by_number),
	TEST(test_twin_of_a_device),
	TEST(test_twin_by_a_member),
	TEST(test_twin_by_loopback),
	TEST(test_twin_of_a_request),
};

RUN("model_query", tests)
