// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_judge_datagram.c - the verdict on what one socket got of a datagram.
 */
#include "judged.h"

#include <stddef.h>

#define VRF    7
#define MEMBER 2

static struct demux_sock server(uint64_t id, const char *laddr)
{
	const char *any = strchr(laddr, ':') ? "::" : "0.0.0.0";
	struct demux_sock sock =
		make_sock(id, S_CLOSE, make_ends(laddr, 80, any, 0));

	sock.flags = DEMUX_SOCK_UDP;
	return sock;
}

static void expect_copy(struct demux_datagram *datagram, enum verdict verdict,
			const char *why)
{
	event = feed(&model, datagram);
	proof_datagram(&proof, &model, &event);
	if (event.verdict != verdict)
		fail_msg("%s (%s), not %s", proof_verdict_name(event.verdict),
			 event.why ?: "", proof_verdict_name(verdict));
	if (!why)
		assert_null(event.why);
	else
		assert_contains(event.why, why);
}

/* A socket that is bound to a device has what came in by that, or by the member
 * of a VRF that it is. */
static void test_device(void **state)
{
	struct demux_datagram datagram =
		make_datagram(20, client(1000), server(1, "0.0.0.0"));
	struct demux_datagram other;

	(void)state;
	datagram.have |= DEMUX_HAVE_SDIF;
	datagram.ifindex = datagram.sock.ifindex = VRF;
	expect_copy(&datagram, VERDICT_PROVED, NULL);
	datagram.sock.ifindex = MEMBER;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "bound to another device");
	datagram.sdif = MEMBER;
	expect_copy(&datagram, VERDICT_PROVED, NULL);
	datagram.sock.ifindex = MEMBER + 1;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "bound to another device");
	datagram.notes = DEMUX_NOTE_SK_LOOKUP;
	expect_copy(&datagram, VERDICT_EXPLAINED,
		    "bound to another device; a BPF program (sk_lookup) "
		    "chooses");
	datagram.have |= DEMUX_HAVE_CHOOSER;
	datagram.sk_lookup = 77;
	expect_copy(&datagram, VERDICT_EXPLAINED,
		    "; the BPF program (sk_lookup, id 77) chooses in the "
		    "datagram's namespace");
	datagram.notes |= DEMUX_NOTE_CHOOSERS;
	expect_copy(&datagram, VERDICT_EXPLAINED,
		    "; one of the BPF programs (sk_lookup, the first: id 77) "
		    "chooses");
	datagram.have &= ~DEMUX_HAVE_CHOOSER;
	datagram.netns++;
	expect_copy(&datagram, VERDICT_EXPLAINED, "another network namespace");
	datagram.netns--;
	datagram.notes = 0;
	datagram.have |= DEMUX_HAVE_GROUP;
	datagram.group_size = 2;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "bound to another device");
	other = make_datagram(21, client(1001), server(2, "0.0.0.0"));
	feed(&model, &other);
	datagram.head.mono_ns = 22;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "bound to another device");
	other.sock.flags |= DEMUX_SOCK_REUSEPORT;
	feed(&model, &other);
	expect_copy(&datagram, VERDICT_EXPLAINED, "SO_REUSEPORT group");
	datagram.have &= ~DEMUX_HAVE_GROUP;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "bound to another device");
	datagram.have |= DEMUX_HAVE_GROUP;
	/* Of an address that is its own there is another group. */
	datagram.sock = server(3, "10.0.0.1");
	datagram.sock.ifindex = MEMBER + 1;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "bound to another device");
	/* That is no reason for another namespace. */
	datagram.sock = server(4, "0.0.0.0");
	datagram.sock.netns++;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "namespace");
}

/* The recordings of before did not say by which member it came in. */
static void test_device_not_seen(void **state)
{
	struct demux_datagram datagram =
		make_datagram(20, client(1000), server(1, "0.0.0.0"));

	(void)state;
	datagram.head.len = DEMUX_DATAGRAM_LEN;
	datagram.sock.ifindex = datagram.sdif = MEMBER;
	datagram.ifindex = VRF;
	expect_copy(&datagram, VERDICT_EXPLAINED, "was not seen");
}

/* One that a socket refused and another one took was matched, once. */
static void test_matched(void **state)
{
	struct demux_datagram copy =
		make_datagram(20, client(1000), server(1, "0.0.0.0"));
	struct port *port = ports_get(&model.datagram_ports, 80);

	(void)state;
	copy.outcome = DEMUX_DENIED;
	expect_copy(&copy, VERDICT_PROVED, NULL);
	assert_int_equal(port->matched, 0);
	copy.outcome = DEMUX_MULTICAST;
	for (copy.copy = 1; copy.copy < 3; copy.copy++) {
		copy.sock.id++;
		expect_copy(&copy, VERDICT_PROVED, NULL);
	}
	assert_int_equal(port->segments, 1);
	assert_int_equal(port->copies, 2);
	assert_int_equal(port->matched, 1);
}

static struct demux_accept connect_to(uint64_t mono_ns, struct demux_sock *sock,
				      uint16_t port)
{
	struct demux_accept record;

	sock->ends = client(port);
	sock->state = S_ESTABLISHED;
	record = make_accept(mono_ns, 7, "web", 0, 0, *sock);
	record.head.type = DEMUX_BIND;
	return record;
}

/* Only what came before a connect() was done may be another's. */
static void test_connected(void **state)
{
	struct demux_sock sock = server(1, "0.0.0.0");
	struct demux_datagram first = make_datagram(10, client(999), sock);
	struct demux_datagram datagram;
	struct demux_accept bind;

	(void)state;
	expect_copy(&first, VERDICT_PROVED, NULL);
	bind = connect_to(20, &sock, 1000);
	feed(&model, &bind);
	datagram = make_datagram(21, client(1000), sock);
	expect_copy(&datagram, VERDICT_PROVED, NULL);
	datagram = make_datagram(19, client(999), sock);
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	datagram = make_datagram(21, client(999), sock);
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	/* It was at any address before. */
	datagram.ends.laddr[3]++;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "address and port");
	datagram.head.mono_ns = 19;
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	/* Connected anew, from one remote end to the next. */
	bind = connect_to(30, &sock, 1001);
	feed(&model, &bind);
	datagram = make_datagram(29, client(1000), sock);
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	datagram.head.mono_ns = 31;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	/* stable's time is a little later than the lookup. */
	datagram.have &= ~DEMUX_HAVE_VIA;
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	datagram.head.mono_ns += 1000000;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	/* And what it then predicts is the wrong one. */
	datagram.have |= DEMUX_HAVE_VIA;
	datagram.via = DEMUX_ASSIGNED;
	datagram.predicted = DEMUX_PREDICTED_VIA;
	expect_copy(&datagram, VERDICT_EXPLAINED, "assigned the socket");
	datagram.head.mono_ns -= 1000000;
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	datagram.predicted = 0;
	datagram.head.mono_ns = 29;
	expect_copy(&datagram, VERDICT_EXPLAINED, "assigned the socket");
	/* It was at any address, and had that peer already. */
	datagram = make_datagram(29, client(1001), sock);
	datagram.ends.laddr[3]++;
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	/* No connect() takes another port. */
	datagram.ends.lport++;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "address and port");
	/* It is not connected any more, but bound. */
	datagram = make_datagram(29, client(1001), server(1, "10.0.0.9"));
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "address and port");
}

/* connect() to port 0 takes any port of the host. */
static void test_connected_to_host(void **state)
{
	struct demux_sock sock = server(1, "10.0.0.1");
	struct demux_accept bind = connect_to(20, &sock, 0);
	struct demux_datagram datagram = make_datagram(21, client(999), sock);

	(void)state;
	expect_copy(&datagram, VERDICT_PROVED, NULL);
	feed(&model, &bind);
	expect_copy(&datagram, VERDICT_PROVED, NULL);
	datagram.ends.raddr[3]++;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	bind.head.mono_ns = 30;
	bind.sock.ends.raddr[3]--;
	feed(&model, &bind);
	datagram.sock = bind.sock;
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	datagram.head.mono_ns = 31;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	/* An IPv6 socket that is connected no more keeps the address. */
	datagram.sock.state = S_CLOSE;
	expect_copy(&datagram, VERDICT_PROVED, NULL);
}

/* A program may choose any member of its group, one that is connected too. */
static void test_connected_by_program(void **state)
{
	struct demux_sock sock = server(1, "0.0.0.0");
	struct demux_datagram datagram;

	(void)state;
	connect_to(0, &sock, 999);
	datagram = make_datagram(10, client(1000), sock);
	datagram.have |= DEMUX_HAVE_GROUP;
	datagram.group_by = DEMUX_GROUP_BY_HASH;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	datagram.group_by = DEMUX_GROUP_BY_BPF;
	expect_copy(&datagram, VERDICT_EXPLAINED, "the program of its");
	datagram.have &= ~DEMUX_HAVE_GROUP;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
	/* It has no other port for that. */
	datagram.have |= DEMUX_HAVE_GROUP;
	datagram.ends.lport++;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "address and port");
}

/* I8: the port, and the address or any. */
static void test_i8_own_ends(void **state)
{
	struct demux_datagram copy =
		make_datagram(20, client(1000), server(1, "10.0.0.9"));

	(void)state;
	expect_copy(&copy, VERDICT_UNEXPLAINED, "I8:");
	copy.notes = DEMUX_NOTE_SK_LOOKUP;
	expect_copy(&copy, VERDICT_EXPLAINED, "sk_lookup");
	copy.notes = 0;
	copy.sock = server(2, "10.0.0.1");
	expect_copy(&copy, VERDICT_PROVED, NULL);
	copy.sock.ends.lport++;
	expect_copy(&copy, VERDICT_UNEXPLAINED, "I8:");
	copy.sock.ends.lport = 0;
	expect_copy(&copy, VERDICT_EXPLAINED, "given its port back");
}

static void test_i10_one_outcome(void **state)
{
	const struct demux_datagram good =
		make_datagram(20, client(1000), server(1, "0.0.0.0"));
	struct demux_datagram copy = good;

	(void)state;
	copy.have &= ~DEMUX_HAVE_OUTCOME;
	expect_copy(&copy, VERDICT_UNEXPLAINED, "I10: no hook");
	copy = good;
	copy.have &= ~DEMUX_HAVE_PORTS;
	expect_copy(&copy, VERDICT_UNEXPLAINED, "headers");
	copy = good;
	copy.have &= ~DEMUX_HAVE_ADDRS;
	expect_copy(&copy, VERDICT_UNEXPLAINED, "headers");
	copy = good;
	copy.have &= ~DEMUX_HAVE_SOCK;
	expect_copy(&copy, VERDICT_UNEXPLAINED, "I10: matched");
	copy.outcome = DEMUX_DENIED;
	expect_copy(&copy, VERDICT_EXPLAINED, "refused before");
	copy.outcome = DEMUX_NOBODY;
	expect_copy(&copy, VERDICT_PROVED, NULL);
	copy.predicted = DEMUX_PREDICTED_OUTCOME;
	expect_copy(&copy, VERDICT_EXPLAINED, "predicted");
	copy.outcome = DEMUX_BAD_DATAGRAM;
	copy.predicted = 0;
	expect_copy(&copy, VERDICT_PROVED, NULL);
	/* Whoever it is, is judged. */
	copy = good;
	copy.predicted = DEMUX_PREDICTED_OUTCOME;
	copy.sock = server(2, "10.0.0.9");
	expect_copy(&copy, VERDICT_UNEXPLAINED, "I8:");
}

/* Where no hook told of the connect(), the first datagram that shows it. */
static void test_connect_not_told(void **state)
{
	struct demux_sock sock = server(1, "0.0.0.0");
	struct demux_datagram datagram = make_datagram(10, client(999), sock);

	(void)state;
	expect_copy(&datagram, VERDICT_PROVED, NULL);
	connect_to(0, &sock, 1000);
	datagram = make_datagram(20, client(999), sock);
	expect_copy(&datagram, VERDICT_EXPLAINED, "being connected");
	datagram.head.mono_ns = 21;
	expect_copy(&datagram, VERDICT_UNEXPLAINED, "another remote end");
}

static const struct CMUnitTest tests[] = {
	TEST(test_i8_own_ends),
	TEST(test_connected_by_program),
	TEST(test_i10_one_outcome),
	TEST(test_connected),
	TEST(test_connect_not_told),
	TEST(test_matched),
	TEST(test_device),
	TEST(test_device_not_seen),
	TEST(test_connected_to_host),
};

RUN("judge_datagram", tests)
