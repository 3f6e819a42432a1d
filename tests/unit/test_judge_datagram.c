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

static const struct CMUnitTest tests[] = {
	TEST(test_device),
	TEST(test_device_not_seen),
};

RUN("judge_datagram", tests)
