/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judged.h - what the tests of the verdict on one segment share.
 */
#ifndef TESTS_JUDGED_H
#define TESTS_JUDGED_H

#include "modelled.h"

static struct event event;

static inline uint64_t misdelivered(uint16_t port)
{
	return ports_get(&model.ports, port)->misdelivered;
}

/* The verdict on @more, before anything that it had to wait for; where @why is not NULL, it must be in the reason. */
static inline void expect(struct demux_segment_more *more, enum verdict verdict,
			  const char *why)
{
	uint64_t before = proof.counts[verdict], judged = proof_judged(&proof);
	uint64_t bad = misdelivered(more->segment.ends.lport);
	bool to_a_sock = more->segment.have & DEMUX_HAVE_PORTS &&
			 more->segment.have & DEMUX_HAVE_SOCK;

	struct judge_wait wait;
	const char *problem;
	bool waits = !proof.judge.waited &&
		     !decode(&event, more, more->segment.head.len, &problem) &&
		     judge_waits(&model, &event, &wait);

	if (waits)
		proof.judge.waited = &wait;
	event = feed(&model, more);
	proof_segment(&proof, &model, &event);
	if (waits)
		proof.judge.waited = NULL;
	if (event.verdict != verdict)
		fail_msg("%s (%s), not %s", proof_verdict_name(event.verdict),
			 event.why ?: "", proof_verdict_name(verdict));
	assert_int_equal(proof.counts[verdict], before + 1);
	assert_int_equal(proof_judged(&proof), judged + 1);
	assert_int_equal(misdelivered(more->segment.ends.lport) - bad,
			 verdict == VERDICT_UNEXPLAINED && to_a_sock);
	if (!why)
		assert_null(event.why);
	else
		assert_contains(event.why, why);
}

static inline struct demux_segment_more syn(uint64_t mono_ns, const char *addr,
					    uint16_t port)
{
	struct demux_segment_more more =
		make_segment(mono_ns, DEMUX_LISTENER, client(1000));

	give_sock(&more, make_listener(mono_ns, addr, port));
	return more;
}

#endif
