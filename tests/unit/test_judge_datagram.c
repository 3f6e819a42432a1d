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
	expect_copy(&datagram, VERDICT_EXPLAINED, "sk_lookup");
	/* That is no reason for another namespace. */
	datagram.netns++;
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

static const struct CMUnitTest tests[] = {
	TEST(test_matched),
	TEST(test_device),
	TEST(test_device_not_seen),
};

RUN("judge_datagram", tests)
