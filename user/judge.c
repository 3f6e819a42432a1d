// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - the verdict on one segment. Fourth stage, part of the proof.
 */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>

#include "classify.h"
#include "filter.h"

enum {
	CLOSE = 7,
	LISTEN = 10
};

enum verdict judge_explain(struct judge *judge, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(judge->why, sizeof(judge->why), format, args);
	va_end(args);
	return VERDICT_EXPLAINED;
}

enum verdict judge_doubt(struct judge *judge, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(judge->why, sizeof(judge->why), format, args);
	va_end(args);
	return VERDICT_UNEXPLAINED;
}

/* The rules that every match obeys, whatever its kind. */
static enum verdict judge_place(struct judge *judge,
				const struct demux_sock *sock)
{
	const struct demux_segment *seg = judge->event->segment;

	if (seg->have & DEMUX_HAVE_NETNS && seg->netns != sock->netns)
		return judge_doubt(judge, "the socket is in another network "
					  "namespace");
	if (sock->ifindex && sock->ifindex != seg->ifindex)
		return judge_explain(judge,
				     "the socket is bound to another device, "
				     "as a VRF's member is");
	return VERDICT_PROVED;
}

/* I3: a listener, or nobody, gets only what no other socket should have had. */
static enum verdict judge_bypass(struct judge *judge)
{
	const struct demux_segment *seg = judge->event->segment;
	struct model_sock *other =
		model_find_ends(judge->model, &seg->ends, seg->netns);

	if (!other || other == judge->event->child || other->last.ifindex ||
	    other->born_ns >= seg->head.mono_ns)
		return VERDICT_PROVED;
	/* Its close has to follow: proof_end() looks. */
	if (!other->bypassed_ns)
		other->bypassed_ns = seg->head.mono_ns;
	return judge_explain(judge, "I3: a socket with these two ends was "
				    "leaving the hash table just then");
}

static enum verdict judge_match(struct judge *judge,
				const struct demux_sock *sock)
{
	const struct demux_segment *seg = judge->event->segment;
	const struct demux_sock *parent = judge->event->with_parent;
	enum verdict verdict;

	if (seg->have & DEMUX_HAVE_VIA && seg->via == DEMUX_ASSIGNED)
		return judge_explain(judge, "a rule or a program assigned the "
					    "socket to the segment before TCP "
					    "saw it");
	/* Of a request that was predicted its listener was seen. */
	if (seg->predicted & DEMUX_PREDICTED_SOCK && parent &&
	    !listens_for(&seg->ends, parent))
		return judge_doubt(judge, "I2: the listener has not the "
					  "segment's address and port");
	if (sock->state == LISTEN) {
		if (!listens_for(&seg->ends, sock))
			return judge_doubt(judge,
					   "I2: the listener has not the "
					   "segment's address and port");
		verdict = judge_bypass(judge);
		if (verdict != VERDICT_PROVED)
			return verdict;
		return judge_place(judge, sock);
	}
	if (same_ends(&seg->ends, &sock->ends))
		return judge_place(judge, sock);
	if (sock->state == CLOSE && may_be_released(&seg->ends, &sock->ends))
		return judge_explain(judge, "the socket closed meanwhile and "
					    "had given its port back");
	return judge_doubt(judge, seg->outcome == DEMUX_REQUEST ?
					  "I4: the request has not the "
					  "segment's two ends" :
					  "I1: the socket has not the "
					  "segment's two ends");
}

enum verdict judge_segment(struct judge *judge)
{
	const struct event *event = judge->event;
	const struct demux_segment *seg = event->segment;
	enum verdict verdict;

	if (!(seg->have & DEMUX_HAVE_OUTCOME))
		return judge_doubt(judge, "I10: no hook saw what became of it");
	if (seg->predicted & DEMUX_PREDICTED_OUTCOME &&
	    !(seg->have & DEMUX_HAVE_SOCK))
		return judge_explain(judge, "no full socket got it; this "
					    "kernel does not tell who did, so "
					    "that is predicted");
	if (seg->outcome == DEMUX_NONE)
		return judge_bypass(judge);
	if (seg->outcome == DEMUX_MALFORMED)
		return VERDICT_PROVED;
	if (!(seg->have & DEMUX_HAVE_SOCK)) {
		if (seg->outcome == DEMUX_REFUSED)
			return judge_explain(judge, "refused before a hook "
						    "could see which socket "
						    "it was for");
		return judge_doubt(judge, "I10: matched, but to what was not "
					  "seen");
	}
	if (!(seg->have & DEMUX_HAVE_PORTS) || !(seg->have & DEMUX_HAVE_ADDRS))
		return judge_doubt(judge, "its headers could not be read");
	verdict = judge_match(judge, &seg->sock);
	if (verdict == VERDICT_PROVED && event->with_child &&
	    !same_ends(&seg->ends, &event->with_child->ends))
		return judge_doubt(judge, "I4: the child has not the segment's "
					  "two ends");
	return verdict;
}
