// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge_datagram.c - the verdict on what one socket got of a datagram. Fourth
 * stage, part of the proof.
 */
#include "judge.h"

#include "classify_datagram.h"
#include "filter.h"
#include "names.h"

/* Older recordings do not say who. */
static const char *chooser(char to[NAMES_PROGRAM_MAX],
			   const struct event *event)
{
	return names_sk_lookup(to, event_sk_lookup(event),
			       event_has_sk_lookups(event));
}

/* Can the lookup have come before the connect() that gave the socket its ends?
 * Where the way of the match is seen, mono_ns is before the lookup. */
static bool may_be_connected_since(const struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;
	bool is_late = !event_via(event) ||
		       datagram->predicted & DEMUX_PREDICTED_VIA;

	return event->sock && event->sock->connected_ns &&
	       (is_connected(&datagram->sock) ||
		!is_any(datagram->sock.ends.raddr)) &&
	       datagram->sock.ends.lport == datagram->ends.lport &&
	       datagram->head.mono_ns <=
		       event->sock->connected_ns + (is_late ? LATE_NS : 0);
}

/* One that has the datagram's address and port. Who chooses in a group, or for
 * sk_lookup, does not ask for the device. */
static enum verdict judge_chosen(struct judge *judge)
{
	const struct demux_datagram *datagram = judge->event->datagram;
	const struct demux_sock *sock = &datagram->sock;
	__u32 sdif = datagram->have & DEMUX_HAVE_SDIF ? datagram->sdif : 0;
	char program[NAMES_PROGRAM_MAX];
	enum verdict verdict =
		judge_place(judge, sock, datagram->ifindex, sdif);

	if (verdict != VERDICT_UNEXPLAINED)
		return verdict;
	if (datagram->notes & DEMUX_NOTE_SK_LOOKUP)
		return judge_explain(judge,
				     "the socket is %s; %s chooses in the "
				     "datagram's namespace",
				     sock->netns != datagram->netns ?
					     "in another network namespace" :
					     "bound to another device",
				     chooser(program, judge->event));
	if (sock->netns != datagram->netns)
		return verdict;
	if (datagram->have & DEMUX_HAVE_GROUP &&
	    model_find_member(judge->model, sock, judge->event->arrival,
			      datagram->ifindex, sdif))
		return judge_explain(judge, "the socket is bound to another "
					    "device; its SO_REUSEPORT group, "
					    "which has one for this device, "
					    "may have chosen it");
	return verdict;
}

static enum verdict judge_match(struct judge *judge)
{
	const struct event *event = judge->event;
	const struct demux_datagram *datagram = event->datagram;
	const struct demux_ends *to = &datagram->ends;
	const struct demux_sock *sock = &datagram->sock;
	char program[NAMES_PROGRAM_MAX];

	/* What is predicted of a connect()'s moment may be the wrong one. */
	if (event_via(event) == DEMUX_ASSIGNED &&
	    !(datagram->predicted & DEMUX_PREDICTED_VIA &&
	      may_be_connected_since(event)))
		return judge_explain(judge, "a rule or a program assigned the "
					    "socket to the datagram before UDP "
					    "saw it");
	if ((!listens_for(to, sock) || !is_its_peer(to, sock)) &&
	    may_be_connected_since(event))
		return judge_explain(judge, "I8: the socket was being "
					    "connected just then");
	if (!listens_for(to, sock)) {
		if (datagram->notes & DEMUX_NOTE_SK_LOOKUP)
			return judge_explain(judge,
					     "I8: the socket has another "
					     "address or port; %s chooses in "
					     "the datagram's namespace",
					     chooser(program, event));
		if (may_be_released(to, sock))
			return judge_explain(judge,
					     "I8: the socket was closed or "
					     "disconnected meanwhile, and "
					     "had given its port back");
		return judge_doubt(judge, "I8: the socket has not the "
					  "datagram's address and port");
	}
	if (!is_its_peer(to, sock) && may_be_by_program(datagram))
		return judge_explain(judge,
				     "I8: the socket is connected to another "
				     "remote end; the program of its "
				     "SO_REUSEPORT group may have chosen it");
	if (!is_its_peer(to, sock))
		return judge_doubt(judge, "I8: the socket is connected to "
					  "another remote end");
	return judge_chosen(judge);
}

enum verdict judge_datagram(struct judge *judge)
{
	const struct demux_datagram *datagram = judge->event->datagram;
	bool has_sock = datagram->have & DEMUX_HAVE_SOCK;

	if (!(datagram->have & DEMUX_HAVE_OUTCOME))
		return judge_doubt(judge, "I10: no hook saw what became of it");
	if (!has_sock && datagram->predicted & DEMUX_PREDICTED_OUTCOME)
		return judge_explain(judge,
				     "no socket got it; this kernel does "
				     "not tell why, so that is predicted");
	if (!has_sock && datagram->outcome == DEMUX_DENIED)
		return judge_explain(judge, "refused before a hook could see "
					    "which socket it was for");
	if (datagram->outcome == DEMUX_NOBODY ||
	    datagram->outcome == DEMUX_BAD_DATAGRAM)
		return VERDICT_PROVED;
	if (!has_sock)
		return judge_doubt(judge, "I10: matched, but to what was not "
					  "seen");
	if (!(datagram->have & DEMUX_HAVE_PORTS) ||
	    !(datagram->have & DEMUX_HAVE_ADDRS))
		return judge_doubt(judge, "its headers could not be read");
	return judge_match(judge);
}
