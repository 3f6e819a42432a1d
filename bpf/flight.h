/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flight.h - the record of one tcp_v4_rcv or tcp_v6_rcv call while it is under
 * way: opened at entry, added to by the hooks in between, emitted at exit.
 */
#ifndef DEMUX_FLIGHT_H
#define DEMUX_FLIGHT_H

#include "emit.h"
#include "filter.h"
#include "kernel_place.h"
#include "owner.h"
#include "why.h"

static __always_inline __u64 flight_task(void)
{
	return config.rt ? bpf_get_current_task() : 0;
}

/* The open flight of @skb on this CPU, or NULL: a hook is also called for
 * segments nobody asked about, from the backlog, and for other protocols. */
static __always_inline struct flight *flight_find(struct cell *cell,
						  struct sk_buff *skb)
{
	__u64 task;

	if (!cell || !cell->open)
		return NULL;
	task = flight_task();
	for (int i = 0; i < FLIGHTS; i++) {
		struct flight *flight = &cell->flights[i];

		if (flight->skb == (__u64)skb && flight->task == task)
			return flight;
	}
	return NULL;
}

/* The flight inside which this code runs, or NULL. */
static __always_inline struct flight *flight_current(struct cell *cell)
{
	__u64 task;

	if (!cell || !cell->open)
		return NULL;
	task = flight_task();
	for (int i = FLIGHTS - 1; i >= 0; i--) {
		struct flight *flight = &cell->flights[i];

		if (flight->skb && flight->task == task)
			return flight;
	}
	return NULL;
}

/* The flight that began with the call that returns now, or NULL. A kretprobe
 * does not know the skb, but calls return in the reverse of their order; tasks
 * that displace each other on PREEMPT_RT do not, but each has its own flights. */
static __always_inline struct flight *flight_returning(struct cell *cell)
{
	struct flight *flight = flight_current(cell);

	return flight && (config.rt || flight->depth == cell->depth) ? flight :
								       NULL;
}

/* The last ACK is told before the end of the socket that it ended. */
static __always_inline void flight_tell_ends(struct flight *flight)
{
	for (int i = 0; i < 2; i++)
		if (i < flight->ends)
			emit_other(&flight->end[i], sizeof(flight->end[i]));
}

static __always_inline void flight_close(struct cell *cell,
					 struct flight *flight)
{
	flight->skb = 0;
	cell->open--;
}

/*
 * An exit that was never seen leaves its flight open. The same skb at an entry
 * shows that, and so does a lack of room: such a flight is given up and counted
 * as skipped, before hooks could take the new segment for the old.
 */
static __always_inline void flight_give_up(struct cell *cell,
					   struct sk_buff *skb)
{
	struct flight *flight = flight_find(cell, skb);

	if (!flight && cell->open >= FLIGHTS)
		flight = &cell->flights[0];
	if (!flight)
		return;
	count_softirq(&cell->count.skipped);
	flight_tell_ends(flight);
	flight_close(cell, flight);
}

/* Returns a free place; flight_give_up() has seen to it that there is one. */
static __always_inline struct flight *flight_open(struct cell *cell,
						  struct sk_buff *skb)
{
	__u32 place = cell->flights[0].skb != 0;
	struct flight *flight = &cell->flights[place];

	cell->open++;
	flight->place = place;
	flight->depth = cell->depth;
	flight->skb = (__u64)skb;
	flight->task = flight_task();
	flight->child = 0;
	flight->listener = 0;
	flight->request = 0;
	flight->met = 0;
	flight->owned = 0;
	flight->ends = 0;
	flight->ask.net = 0;
	flight->filtering = 0;
	flight->unwanted = 0;
	return flight;
}

/* Has this flight met a socket of the wanted process? */
static __always_inline void flight_owner(struct flight *flight, const void *sk)
{
	if (is_by_owner() && is_wanted_sock(sk))
		flight->owned = 1;
}

/* The device rule: who is bound, or may be, is judged by these. */
static __always_inline void flight_device(struct flight *flight)
{
	struct demux_segment *seg = &flight->record.more.segment;

	seg->sdif = read_tcp_sdif(flight->skb, seg->ends.family, seg->seq);
	seg->have |= DEMUX_HAVE_SDIF;
	if (seg->ends.family == 4)
		seg->ifindex = read_route_iif(flight->skb, seg->ifindex);
}

/* Has @net, where it came in, a program that may choose a listener, also another
 * namespace's, or say that there is none? */
static __always_inline void flight_sk_lookup(struct flight *flight,
					     struct net *net)
{
	struct demux_segment *seg = &flight->record.more.segment;
	bool several;

	seg->sk_lookup = read_sk_lookup(net, &several);
	if (!seg->sk_lookup)
		return;
	seg->have |= DEMUX_HAVE_SK_LOOKUP;
	if (several)
		seg->notes |= DEMUX_NOTE_SK_LOOKUPS;
}

/* The lookup found nobody. */
static __always_inline void flight_nobody(struct flight *flight,
					  struct sk_buff *skb)
{
	struct net *net = GET(skb, dev, nd_net.net);

	flight->met |= MET_NOBODY;
	flight_device(flight);
	flight_sk_lookup(flight, net);
	if (config.detail)
		return; /* asked as the flight ends */
	why_query(flight, (__u64)net);
	why_nobody(flight->place);
}

/* It has met the socket at @sk, which its record has read. */
static __always_inline void flight_met(struct flight *flight, __u64 sk)
{
	struct demux_segment *seg = &flight->record.more.segment;

	if (seg->sock.ifindex)
		flight_device(flight);
	seg->have |= DEMUX_HAVE_SOCK;
	if (config.detail)
		why_matched(flight->place, sk);
}

static __always_inline void flight_match(struct flight *flight,
					 struct sock_common *skc)
{
	struct demux_segment *seg = &flight->record.more.segment;

	flight_owner(flight, skc);
	/* What the skb carried was read at entry already. */
	if (seg->sock.id != sock_id(skc))
		read_sock(&seg->sock, skc);
	flight_met(flight, address_of(skc));
}

/* How full the listener is that it has met. */
static __always_inline void flight_queues(struct flight *flight,
					  struct sock *listener)
{
	struct demux_segment *seg = &flight->record.more.segment;

	seg->accept_queue = GET(listener, sk_ack_backlog);
	seg->accept_limit = GET(listener, sk_max_ack_backlog);
	seg->syn_queue = read_requests(listener);
	seg->have |= DEMUX_HAVE_QUEUES;
}

static __always_inline void flight_parent(struct flight *flight,
					  struct sock_common *skc)
{
	flight_owner(flight, skc);
	read_sock(&flight->record.more.parent, skc);
	flight->record.more.segment.have |= DEMUX_HAVE_PARENT;
}

static __always_inline void
flight_child(struct flight *flight, struct sock *listener, struct sock *child)
{
	if (flight->child == (__u64)child)
		return;
	flight->child = (__u64)child;
	flight->met |= MET_CHILD;
	flight_owner(flight, child);
	read_sock(&flight->record.more.child, &child->__sk_common);
	flight->record.more.segment.have |= DEMUX_HAVE_CHILD;
	flight_parent(flight, &listener->__sk_common);
}

/* The kernel frees it, and says why where it can. */
static __always_inline void flight_dropped(struct flight *flight, __u32 reason)
{
	if (config.drop_args < 3)
		return;
	flight->record.more.segment.drop_reason = reason;
	flight->record.more.segment.have |= DEMUX_HAVE_REASON;
}

/*
 * Who put the socket on the skb? What frees it tells: sock_pfree after
 * bpf_sk_assign(), sock_edemux after TPROXY and early demux. That never finds a
 * listener, and TPROXY no other socket whose two ends differ: such a one early demux
 * found by the ends that the segment had before NAT gave it others.
 */
static __always_inline void flight_assigned(struct flight *flight,
					    __u64 destructor)
{
	struct demux_segment *seg = &flight->record.more.segment;

	if (config.sock_pfree && destructor == config.sock_pfree) {
		flight->carried = CARRIED_OTHER;
		seg->assigned_by = DEMUX_BY_SK_ASSIGN;
	} else if (flight->carried == CARRIED_OTHER) {
		if (seg->sock.state != TCP_LISTEN)
			flight->carried = CARRIED_MATCH;
		else if (config.sock_edemux && destructor == config.sock_edemux)
			seg->assigned_by = DEMUX_BY_TPROXY;
	}
}

/* The socket that early demux, a rule or a program put on the skb. */
static __always_inline void flight_carried(struct flight *flight,
					   struct sk_buff *skb)
{
	struct demux_segment *seg = &flight->record.more.segment;
	struct sock *sk = GET(skb, sk);

	flight->carried = CARRIED_NONE;
	flight->carrying = (__u64)sk;
	if (!sk)
		return;
	read_sock(&seg->sock, &sk->__sk_common);
	flight->carried = CARRIED_OTHER;
	if (seg->sock.state != TCP_LISTEN &&
	    same_ends(&seg->ends, &seg->sock.ends))
		flight->carried = CARRIED_MATCH;
	/* Early demux found it, and another CPU closed it since. */
	else if (may_be_released(&seg->ends, &seg->sock))
		flight->carried = CARRIED_MATCH;
	flight_assigned(flight, (__u64)GET(skb, destructor));
}

/* As much of the record as there is something in. */
static __always_inline void flight_emit(struct cell *cell,
					struct flight *flight)
{
	struct demux_segment_more *more = &flight->record.more;
	struct demux_segment *seg = &more->segment;
	__u32 len = sizeof(*seg);

	if (config.detail) {
		seg->have |= DEMUX_HAVE_WHY;
		len = sizeof(flight->record);
	} else if (seg->have & (DEMUX_HAVE_PARENT | DEMUX_HAVE_CHILD)) {
		len = sizeof(*more);
	}
	if (len > sizeof(*seg)) {
		if (!(seg->have & DEMUX_HAVE_PARENT))
			__builtin_memset(&more->parent, 0,
					 sizeof(more->parent));
		if (!(seg->have & DEMUX_HAVE_CHILD))
			__builtin_memset(&more->child, 0, sizeof(more->child));
	}
	seg->head.len = len;
	/* Constant lengths: the verifier of 5.10 takes no others here. */
	if (len == sizeof(flight->record))
		emit_segment(cell, seg, sizeof(flight->record));
	else if (len == sizeof(*more))
		emit_segment(cell, seg, sizeof(*more));
	else
		emit_segment(cell, seg, sizeof(*seg));
}

/* Did the lookup come to the listeners? A request's is not looked up. */
static __always_inline bool is_listeners(__u32 met)
{
	return met & MET_NOBODY || (met & MET_LISTENER && !(met & MET_REQUEST));
}

/* The flight at @place has come to its end. */
__noinline int flight_finish(__u32 place)
{
	struct cell *cell = this_cell();
	struct flight *flight = flight_at(cell, place);
	struct demux_segment *seg;

	if (!flight)
		return 0;
	seg = &flight->record.more.segment;
	if (flight->unwanted) {
		flight_tell_ends(flight);
		flight_close(cell, flight);
		return 0;
	}
	/* The hook at the match was skipped (recursion guard), but what early
	 * demux brought is used as it is: no second lookup. */
	if (!flight->met && flight->carried == CARRIED_MATCH &&
	    seg->sock.state != TCP_TIME_WAIT &&
	    seg->sock.state != TCP_NEW_SYN_RECV) {
		flight->met = MET_FULL;
		seg->have |= DEMUX_HAVE_SOCK;
		seg->predicted |= DEMUX_PREDICTED_OUTCOME;
	}

	/* Dropped on the way, as a request is whose listener has closed: the
	 * kernel looked the segment up again. */
	if (flight->carried == CARRIED_MATCH && seg->have & DEMUX_HAVE_SOCK &&
	    seg->sock.id != sock_id((void *)flight->carrying))
		flight->carried = CARRIED_NONE;

	seg->outcome = classify_outcome(flight->met);
	if (seg->outcome)
		seg->have |= DEMUX_HAVE_OUTCOME;
	seg->via = classify_via(seg->outcome, flight->carried);
	if (seg->via)
		seg->have |= DEMUX_HAVE_VIA;
	if (seg->via == DEMUX_ASSIGNED && seg->assigned_by)
		seg->have |= DEMUX_HAVE_ASSIGNED_BY;
	seg->detail = classify_detail(seg, flight->met, config.blind);
	if (seg->detail)
		seg->have |= DEMUX_HAVE_DETAIL;
	if (flight->met & MET_BAD_CSUM)
		seg->notes |= DEMUX_NOTE_CHECKSUM;

	if (!(seg->have & DEMUX_HAVE_SOCK))
		__builtin_memset(&seg->sock, 0, sizeof(seg->sock));

	if (config.detail && is_listeners(flight->met))
		why_listeners(flight->place);
	if (is_by_owner() && !flight->owned)
		count_softirq(&cell->count.filtered);
	else
		flight_emit(cell, flight);
	flight_tell_ends(flight);
	flight_close(cell, flight);
	return 0;
}

#endif
