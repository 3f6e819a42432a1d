/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sight_drop.h - the stable backend's segments that no full socket gets: nobody's,
 * a TIME_WAIT socket's, refused ones, malformed ones. tcp_v4_rcv frees them.
 */
#ifndef DEMUX_SIGHT_DROP_H
#define DEMUX_SIGHT_DROP_H

#include "sight.h"

/* --- kernels before 6.11: the drop does not tell the socket ------------------ */

#define TIME_WAIT_NS 60000000000ull

struct timewait_key {
	struct demux_ends ends;
	__u32 netns;
	__u32 pad;
};

/* Connections that have become TIME_WAIT sockets, and when. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct timewait_key);
	__type(value, __u64);
} timewaits SEC(".maps");

/* inet_sock_set_state: a socket whose side closed first is replaced by a
 * TIME_WAIT socket, unless a reset ends it. That one is found a moment before
 * CLOSE is told, so it is noted in the state before; who is still there is seen
 * itself. */
static __always_inline void timewait_begins(struct sock *sk, int before,
					    int after)
{
	struct cell *cell = this_cell();
	struct timewait_key key = {};
	struct demux_sock seen = {};
	bool is_reset;
	__u64 now_ns;

	if (config.drop_args >= 4 || !cell)
		return;
	if (after != TCP_FIN_WAIT2 && after != TCP_CLOSING &&
	    (after != TCP_CLOSE ||
	     (before != TCP_FIN_WAIT2 && before != TCP_CLOSING)))
		return;
	is_reset = after == TCP_CLOSE && cell->open &&
		   cell->flights[0].record.more.segment.flags & TCP_FLAG_RST;
	read_sock(&seen, &sk->__sk_common);
	key.ends = seen.ends;
	/* Its segments are IPv4. */
	if (seen.ends.family == 6 && is_mapped(seen.ends.raddr)) {
		__builtin_memset(&key.ends, 0, 32);
		__builtin_memcpy(key.ends.laddr, seen.ends.laddr + 12, 4);
		__builtin_memcpy(key.ends.raddr, seen.ends.raddr + 12, 4);
		key.ends.family = 4;
	}
	key.ends.lport = read_lport(sk); /* it has given it back by now */
	key.netns = seen.netns;
	now_ns = bpf_ktime_get_ns();
	if (is_reset)
		bpf_map_delete_elem(&timewaits, &key);
	else
		bpf_map_update_elem(&timewaits, &key, &now_ns, BPF_ANY);
}

static __always_inline bool timewait_knows(const struct demux_segment *seg)
{
	struct timewait_key key = { .ends = seg->ends, .netns = seg->netns };
	__u64 *since = bpf_map_lookup_elem(&timewaits, &key);
	__u64 now_ns = bpf_ktime_get_ns();

	if (!since || now_ns - *since >= TIME_WAIT_NS)
		return false;
	*since = now_ns; /* each segment starts the minute anew */
	return true;
}

/* --- the kfree_skb tracepoint ------------------------------------------------ */

static __always_inline bool is_in_one(const volatile struct demux_range *ranges,
				      int count, __u64 address)
{
	for (int i = 0; i < count; i++)
		if (address >= ranges[i].begin && address < ranges[i].end)
			return true;
	return false;
}

/* Does @address lie in one of the functions of that member of config? */
#define IS_IN(member, address)   \
	is_in_one(config.member, \
		  sizeof(config.member) / sizeof(*config.member), address)

/* 5.10 says nothing of the reason. Without an answer, a listener lets go of a SYN
 * only for its filter, a full socket of a segment for that too, or for a full
 * backlog, which it has only while a process has it. */
static __always_inline void sight_let_go(struct flight *flight)
{
	struct demux_segment *seg = &flight->record.more.segment;

	if (flight->met & MET_FULL)
		flight->met |= is_owned(flight->matched) ? MET_BACKLOG_FULL :
							   MET_FILTER_DENIED;
	else if (!(flight->met & MET_REQUEST) && seg->flags & TCP_FLAG_SYN &&
		 !(seg->flags & (TCP_FLAG_ACK | TCP_FLAG_RST)) &&
		 !(seg->notes & DEMUX_NOTE_RESET))
		flight->met |= MET_FILTER_DENIED;
	else
		return;
	seg->predicted |= DEMUX_PREDICTED_OUTCOME;
}

/* Whatever it is that the listener was asked for, that was observed. */
static __always_inline void sight_refused(struct flight *flight)
{
	flight->met |= MET_FILTER_DENIED;
	flight->record.more.segment.predicted &= ~DEMUX_PREDICTED_OUTCOME;
}

/* Dropped after a full socket or a listener had been found. */
static __always_inline void sight_dropped(struct flight *flight,
					  struct sk_buff *skb, __u32 reason)
{
	if (has_bad_checksum(skb, reason, config.bad_csum))
		flight->met |= MET_BAD_CSUM;
	else if (config.drop_args < 3)
		sight_let_go(flight);
	else if (is_refusal(reason))
		sight_refused(flight);
}

/* Dropped, and no full socket had been found. */
static __always_inline void sight_unmatched(struct flight *flight,
					    struct sk_buff *skb, __u32 reason,
					    struct sock *rx_sk)
{
	if (flight->met & MET_TOO_SHORT)
		return;
	if (rx_sk)
		flight_match(flight, &rx_sk->__sk_common);
	if (config.no_socket && reason == config.no_socket) {
		flight_nobody(flight, skb);
	} else if (has_bad_checksum(skb, reason, config.bad_csum)) {
		flight->met |= MET_BAD_CSUM;
	} else if (rx_sk &&
		   flight->record.more.segment.sock.state == TCP_TIME_WAIT) {
		flight->met |= MET_TIME_WAIT;
		/* This FIN may have been what changed it. */
		flight->record.more.segment.sock.substate = 0;
	} else if (config.drop_args >= 4 ||
		   (config.drop_args == 3 && reason != config.not_specified)) {
		flight->met |= MET_DROP;
	} else if (timewait_knows(&flight->record.more.segment)) {
		flight->met |= MET_TIME_WAIT;
		flight->record.more.segment.predicted |=
			DEMUX_PREDICTED_OUTCOME;
	} else if (config.drop_args < 3) {
		flight->met |= MET_NOBODY;
		flight->record.more.segment.predicted |=
			DEMUX_PREDICTED_OUTCOME;
	}
}

/* Is this the end of the matched segment @flight, and not of the next one, which
 * may look like it and even have its skb's address? Where the kernel says neither
 * reason nor socket: a socket that has closed since had taken it. One that another
 * CPU closes between its match and this drop makes one segment count as two. */
static __always_inline bool is_its_drop(const struct flight *flight,
					__u32 reason, const struct sock *rx_sk)
{
	if (!flight->matched)
		return false;
	if (config.drop_args >= 4)
		return flight->matched == (__u64)rx_sk;
	if (config.drop_args < 3)
		return !is_closed(flight->matched);
	return reason != config.no_socket &&
	       (flight->listener || reason != config.not_specified);
}

/* Freed further on than in tcp_v4_rcv, as an ACK is that its listener answers with
 * a reset: what looks like it from now on is another segment. */
static __always_inline void sight_freed(struct cell *cell, struct sk_buff *skb)
{
	struct flight *flight = &cell->flights[0];
	struct tcp_header th = {};

	if (!cell->open || !flight->listener || !flight->matched)
		return;
	read_tcp_header(skb, &th);
	if (sight_find(cell, (__u64)skb, &th))
		flight->matched = 0;
}

/* What no full socket and no listener had. */
static __always_inline void sight_drop_new(struct cell *cell,
					   struct sk_buff *skb,
					   const struct tcp_header *th, int got,
					   __u32 reason, struct sock *rx_sk,
					   bool reset)
{
	struct flight *flight = sight_open(cell, (__u64)skb);
	__u8 family = GET(skb, protocol) == bpf_htons(ETH_P_IP) ? 4 : 6;
	struct demux_segment *seg = &flight->record.more.segment;

	if (!segment_wanted(family, th, got)) {
		sight_unwanted(cell, flight, th);
		return;
	}
	segment_fill(flight, family, th, got, GET(skb, len));
	seg->netns = GET(skb, dev, nd_net.net, ns.inum);
	if (seg->netns)
		seg->have |= DEMUX_HAVE_NETNS;
	if (read_addrs(skb, &seg->ends))
		seg->have |= DEMUX_HAVE_ADDRS;
	seg->segs = read_segs(skb);
	seg->ifindex = read_iif_late(skb, family, seg->seq);
	if (!filter_arrival(&config, seg->netns, &seg->ends)) {
		sight_unwanted(cell, flight, th);
		return;
	}
	if (config.detail) {
		flight_device(flight);
		why_query(flight, (__u64)GET(skb, dev, nd_net.net));
		why_options(flight, skb, th, got);
	}
	flight_dropped(flight, reason);
	sight_unmatched(flight, skb, reason, rx_sk);
	if (reset)
		seg->notes |= DEMUX_NOTE_RESET;
}

static __always_inline void sight_drop(struct sk_buff *skb, __u64 location,
				       __u32 reason, struct sock *rx_sk)
{
	struct cell *cell = this_cell();
	struct tcp_header th = {};
	struct flight *flight;
	bool reset;
	int got;

	if (!cell)
		return;
	if (!IS_IN(receivers, location)) {
		sight_freed(cell, skb);
		return;
	}
	cell->dropped = (__u64)skb;
	reset = cell->reset == (__u64)skb;
	cell->reset = 0;
	if (GET_BITS(skb, pkt_type) != PACKET_HOST) {
		count_softirq(&cell->count.not_host);
		return;
	}
	got = read_tcp_header(skb, &th);
	flight = sight_find(cell, (__u64)skb, &th);
	if (!flight || !is_its_drop(flight, reason, rx_sk)) {
		sight_drop_new(cell, skb, &th, got, reason, rx_sk, reset);
	} else if (!flight->unwanted) {
		flight_dropped(flight, reason);
		sight_dropped(flight, skb, reason);
	}
	sight_finish(cell);
}

/* The same hook once more: where the first program was kept out, because one of
 * its kind ran on this CPU already, this one is let in. */
static __always_inline void sight_drop_again(struct sk_buff *skb,
					     __u64 location, __u32 reason,
					     struct sock *rx_sk)
{
	struct cell *cell = this_cell();

	if (!cell)
		return;
	if (cell->dropped != (__u64)skb)
		sight_drop(skb, location, reason, rx_sk);
	if (IS_IN(receivers, location))
		cell->dropped = 0;
}

/* tcp_send_reset, told before the segment is dropped. */
static __always_inline void sight_reset(struct sk_buff *skb)
{
	struct cell *cell = this_cell();
	struct tcp_header th = {};
	struct flight *flight;

	if (!cell || read_tcp_header(skb, &th) < (int)sizeof(th) ||
	    th.flags & TCP_FLAG_RST)
		return;
	flight = sight_find(cell, (__u64)skb, &th);
	if (!flight) {
		cell->reset = (__u64)skb;
		return;
	}
	flight->record.more.segment.notes |= DEMUX_NOTE_RESET;
	/* Listeners do not answer a SYN so, but MPTCP's: it met the request of
	 * another, which early demux found before NAT gave it its source. */
	if ((th.flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN &&
	    flight->listener && !is_subflow((struct sock *)flight->listener))
		flight->met &= ~MET_LISTENER;
}

#endif
