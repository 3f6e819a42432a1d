// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model_datagram.c - user/model_table.c: which UDP socket is which. It may be
 * connected, and elsewhere, and no more, and it stays the same.
 */
#include "modelled.h"

#define MS 1000000ull

static struct demux_sock of_udp(uint64_t id, struct demux_ends ends)
{
	struct demux_sock sock =
		make_sock(id, ends.rport ? S_ESTABLISHED : S_CLOSE, ends);

	sock.flags = DEMUX_SOCK_UDP;
	return sock;
}

static struct demux_ends bound(uint16_t port)
{
	return make_ends("10.0.0.1", port, "0.0.0.0", 0);
}

static const struct model_sock *gets(uint64_t mono_ns, struct demux_sock sock)
{
	struct demux_datagram datagram =
		make_datagram(mono_ns, client(1000), sock);

	return feed(&model, &datagram).sock;
}

static const struct model_sock *listed(uint64_t mono_ns, struct demux_sock sock)
{
	struct demux_accept record = make_before(mono_ns, 7, "dns", 3, 0, sock);

	record.sock.flags |= DEMUX_SOCK_BY_ENDS;
	return feed(&model, &record).sock;
}

static void test_connects(void **state)
{
	const struct model_sock *sock = gets(1, of_udp(9, bound(80)));

	(void)state;
	assert_int_equal(sock->number, 1);
	assert_int_equal(sock->connected_ns, 0);
	assert_ptr_equal(gets(2, of_udp(9, client(1000))), sock);
	assert_int_equal(sock->connected_ns, 2);
	assert_ptr_equal(gets(3, of_udp(9, client(1000))), sock);
	assert_int_equal(sock->connected_ns, 2);
	assert_ptr_equal(gets(4, of_udp(9, client(2000))), sock);
	assert_int_equal(sock->connected_ns, 4);
	/* It is known by these ends from now on, and not by the others. */
	assert_ptr_equal(listed(5, of_udp(555, client(2000))), sock);
	assert_ptr_not_equal(listed(6, of_udp(556, client(1000))), sock);
	assert_ptr_equal(gets(7, of_udp(9, bound(80))), sock);
	assert_int_equal(sock->connected_ns, 4);
	assert_int_equal(ports_get(&model.datagram_ports, 80)->sockets, 2);
	/* Its remote ends are not what tells the port's sockets apart. */
	assert_int_equal(ports_get(&model.datagram_ports, 80)->peers.count, 0);
}

static void test_port(void **state)
{
	struct demux_sock closing = of_udp(9, bound(80));

	(void)state;
	closing.ends.lport = 0;
	assert_int_equal(gets(1, of_udp(9, bound(80)))->number, 1);
	assert_int_equal(gets(2, closing)->number, 1);
	assert_int_equal(gets(3, closing)->last.ends.lport, 0);
	assert_int_equal(gets(4, of_udp(9, bound(81)))->number, 1);
	assert_int_equal(gets(5, of_udp(9, bound(80)))->number, 2);
}

/* Its end is told before it is out of the lookup tables. */
static void test_ends(void **state)
{
	struct demux_close end =
		make_close(MS, DEMUX_DESTROYED, of_udp(9, bound(80)));

	(void)state;
	gets(1, of_udp(9, bound(80)));
	feed(&model, &end);
	assert_int_equal(gets(2 * MS, of_udp(9, bound(81)))->number, 1);
	assert_int_equal(gets(2 * MS + 1, of_udp(9, bound(80)))->number, 2);
}

static void test_another_kind(void **state)
{
	struct demux_segment_more more = make_match(2, 9, client(1000));

	(void)state;
	assert_int_equal(gets(1, of_udp(9, client(1000)))->number, 1);
	assert_int_equal(feed(&model, &more).sock->number, 2);
	assert_int_equal(gets(3, of_udp(9, client(1000)))->number, 3);
	/* Of the same ends. */
	more = make_match(4, 10, client(2000));
	assert_int_equal(feed(&model, &more).sock->number, 4);
	assert_int_equal(listed(5, of_udp(555, client(2000)))->number, 5);
}

static const struct CMUnitTest tests[] = {
	TEST(test_connects),
	TEST(test_port),
	TEST(test_ends),
	TEST(test_another_kind),
};

RUN("model_datagram", tests)
