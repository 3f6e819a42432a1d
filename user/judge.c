// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - the verdict on one segment. Fourth stage, part of the proof.
 */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "model_table.h"
#include "names.h"

enum verdict judge_say(struct judge *judge, enum verdict verdict,
		       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(judge->why, sizeof(judge->why), format, args);
	va_end(args);
	return verdict;
}

enum verdict judge_place(struct judge *judge, const struct demux_sock *sock,
			 __u32 ifindex, __u32 sdif)
{
	const struct demux_arrival *got = judge->event->arrival;

	if (got->have & DEMUX_HAVE_NETNS && got->netns != sock->netns)
		return judge_doubt(judge, "the socket is in another network "
					  "namespace");
	if (!sock->ifindex || sock->ifindex == ifindex)
		return VERDICT_PROVED;
	if (!(got->have & DEMUX_HAVE_SDIF))
		return judge_explain(judge, "the socket is bound to another "
					    "device; by which one the kernel "
					    "took it to come in was not seen");
	if (sock->ifindex == sdif)
		return VERDICT_PROVED;
	if (judge->waited && judge->waited->awaited == AWAITED_BOUND &&
	    judge->waited->fate == FATE_REBOUND)
		return judge_explain(judge, "the socket was being bound to "
					    "another device just then");
	return judge_doubt(judge, "the socket is bound to another device");
}

/* I3: a listener, or nobody, gets only what no other socket should have had. */
static enum verdict judge_bypass(struct judge *judge)
{
	if (!judge->waited || judge->waited->awaited != AWAITED_OTHER)
		return VERDICT_PROVED;
	if (judge->waited->fate == FATE_LEFT)
		return judge_explain(judge, "I3: a socket with these two ends "
					    "was leaving the hash table just "
					    "then");
	if (judge->waited->fate == FATE_MADE)
		return judge_explain(judge, "I3: another CPU was making the "
					    "socket with these two ends just "
					    "then");
	if (judge->waited->fate == FATE_REBOUND)
		return judge_explain(judge, "I3: a socket with these two ends "
					    "was being bound to another device "
					    "just then");
	return judge_doubt(judge, "I3: another socket has the segment's two "
				  "ends");
}

#define ASKED_MAX (NAMES_PROGRAM_MAX + 32)

/* Who is asked before the listeners: of several, which one chose was not seen. */
static const char *asked_before(char to[ASKED_MAX],
				const struct demux_segment *seg)
{
	bool is_several = seg->notes & DEMUX_NOTE_SK_LOOKUPS;

	names_sk_lookup(to, seg->sk_lookup, is_several);
	strcat(to,
	       is_several ? " that are asked before" : " that is asked before");
	return to;
}

/* I9: what is nobody's has no listener that could have taken it. They are known
 * as they were when they were last seen; where the kernel's table was walked, and
 * had none, that counts. */
static enum verdict judge_nobody(struct judge *judge)
{
	const struct demux_segment *seg = judge->event->segment;
	uint64_t late_ns = event_via(judge->event) ? 0 : LATE_NS;
	enum verdict verdict = judge_bypass(judge);
	struct model_sock *listener;
	char asked[ASKED_MAX];

	if (verdict != VERDICT_PROVED || !(seg->have & DEMUX_HAVE_PORTS) ||
	    !(seg->have & DEMUX_HAVE_ADDRS) || !(seg->have & DEMUX_HAVE_SDIF) ||
	    seg->notes & DEMUX_NOTE_NONE_LISTENS)
		return verdict;
	listener = model_find_bound(judge->model, judge->event->arrival,
				    seg->ifindex, seg->sdif);
	if (!listener)
		return VERDICT_PROVED;
	if (seg->have & DEMUX_HAVE_SK_LOOKUP)
		return judge_explain(judge,
				     "I9: a listener could have taken it; %s "
				     "said no",
				     asked_before(asked, seg));
	if (seg->notes & DEMUX_NOTE_MAY_REFUSE)
		return judge_explain(judge, "I9: a listener could have taken "
					    "it; the BPF program of its "
					    "SO_REUSEPORT group may have said "
					    "no");
	if (seg->sdif && !listener->last.ifindex)
		return judge_explain(judge, "I9: it came in by a VRF, and the "
					    "listener is bound to none "
					    "(tcp_l3mdev_accept)");
	if (seg->head.mono_ns < model_since(listener) + late_ns)
		return judge_explain(
			judge,
			"I9: a listener that could have taken it "
			"%s just then",
			listener->rebound_ns ?
				"was being bound to another device" :
				"began to listen");
	/* The walk gives up in a long bucket; with --detail in a longer one. */
	return judge_doubt(judge, "I9: a listener could have taken it%s",
			   judge->event->with_why ?
				   "" :
				   ", as far as is known without --detail");
}

/* One that has the segment's address and port. Who chooses among listeners does
 * not ask for their devices: a program on sk_lookup, nor for their network
 * namespaces, and a group of which one was bound to a device after listen(). */
static enum verdict judge_chosen(struct judge *judge,
				 const struct demux_sock *sock)
{
	const struct demux_segment *seg = judge->event->segment;
	enum verdict verdict =
		judge_place(judge, sock, seg->ifindex, seg->sdif);
	char asked[ASKED_MAX];

	if (verdict != VERDICT_UNEXPLAINED)
		return verdict;
	if (seg->have & DEMUX_HAVE_SK_LOOKUP)
		return judge_explain(judge, "the listener is %s: %s chose it",
				     seg->netns != sock->netns ?
					     "in another network namespace" :
					     "bound to another device",
				     asked_before(asked, seg));
	if (seg->netns != sock->netns)
		return verdict;
	if (sock->flags & DEMUX_SOCK_REUSEPORT &&
	    model_find_member(judge->model, sock, judge->event->arrival,
			      seg->ifindex, seg->sdif))
		return judge_explain(judge, "the listener is bound to another "
					    "device: its SO_REUSEPORT group, "
					    "which has one for this device, "
					    "chose it");
	return verdict;
}

/* I2: a listener has the segment's port, and its address or any. */
static enum verdict judge_listener(struct judge *judge,
				   const struct demux_sock *sock)
{
	const struct demux_segment *seg = judge->event->segment;
	char asked[ASKED_MAX];

	if (listens_for(&seg->ends, sock))
		return judge_chosen(judge, sock);
	if (seg->have & DEMUX_HAVE_SK_LOOKUP)
		return judge_explain(judge,
				     "I2: the listener has another address or "
				     "port: %s chose it",
				     asked_before(asked, seg));
	return judge_doubt(judge, "I2: the listener has not the segment's "
				  "address and port");
}

/* I6: no two sockets have the same two ends, but for those of two devices. */
static enum verdict judge_twin(struct judge *judge)
{
	if (!judge->waited || judge->waited->awaited != AWAITED_OTHER)
		return VERDICT_PROVED;
	if (judge->waited->fate == FATE_LEFT)
		return judge_explain(judge, "I6: another socket with these two "
					    "ends was leaving the hash table "
					    "just then");
	if (judge->waited->fate == FATE_REBOUND)
		return judge_explain(judge, "I6: another socket with these two "
					    "ends was being bound to another "
					    "device just then");
	return judge_doubt(judge, "I6: another socket has these two ends too");
}

/* I5: the socket stands in the chain of its slot, where that was walked. */
static enum verdict judge_chain(struct judge *judge,
				const struct demux_sock *sock)
{
	if (!judge_is_out_of_chain(judge->event))
		return VERDICT_PROVED;
	/* Minisocks tell nobody when they go. */
	if (model_table_is_mini(sock) ||
	    (judge->waited ? judge->waited->fate == FATE_LEFT :
			     model_is_gone(judge->event->sock)))
		return judge_explain(judge, "I5: the socket was leaving the "
					    "hash table just then");
	return judge_doubt(judge, "I5: the socket is not in the chain of its "
				  "slot");
}

/* It has exactly the segment's two ends. */
static enum verdict judge_exact(struct judge *judge,
				const struct demux_sock *sock)
{
	const struct demux_segment *seg = judge->event->segment;
	const struct demux_sock *parent = judge->event->with_parent;
	enum verdict verdict =
		judge_place(judge, sock, seg->ifindex, seg->sdif);

	if (verdict == VERDICT_PROVED)
		verdict = judge_twin(judge);
	if (verdict == VERDICT_PROVED)
		verdict = judge_chain(judge, sock);
	/* The listener that a SYN went to which reopened TIME_WAIT. */
	if (verdict == VERDICT_PROVED && parent &&
	    seg->outcome == DEMUX_TIME_WAIT)
		verdict = judge_listener(judge, parent);
	/* Of a request that was predicted its listener was seen: it has what
	 * was assigned to it, or chosen for it, when the SYN came. */
	if (verdict == VERDICT_PROVED && parent &&
	    seg->predicted & DEMUX_PREDICTED_SOCK &&
	    !listens_for(&seg->ends, parent))
		verdict = judge_explain(judge, "the request's listener has "
					       "another address or port: a "
					       "rule or a program gave it "
					       "the SYN");
	return verdict;
}

static enum verdict judge_assigned(struct judge *judge)
{
	return judge_explain(
		judge,
		"%s assigned the socket to the segment before TCP saw it",
		names_assigner(event_assigned_by(judge->event)));
}

static enum verdict judge_match(struct judge *judge,
				const struct demux_sock *sock)
{
	const struct demux_segment *seg = judge->event->segment;
	enum verdict verdict;

	if (event_via(judge->event) == DEMUX_ASSIGNED)
		return judge_assigned(judge);
	if (sock->state == TCP_LISTEN) {
		verdict = judge_bypass(judge);
		return verdict == VERDICT_PROVED ? judge_listener(judge, sock) :
						   verdict;
	}
	if (same_ends(&seg->ends, &sock->ends))
		return judge_exact(judge, sock);
	if (may_be_released(&seg->ends, sock))
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
		return judge_nobody(judge);
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
	if (verdict != VERDICT_UNEXPLAINED && event->with_child &&
	    !same_ends(&seg->ends, &event->with_child->ends))
		return judge_doubt(judge, "I4: the child has not the segment's "
					  "two ends");
	return verdict;
}
