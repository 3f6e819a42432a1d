/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datagram.h - what each hook on a datagram's way does, whatever kind of probe
 * calls it: entry, the sockets that get a copy, exit.
 */
#ifndef DEMUX_DATAGRAM_H
#define DEMUX_DATAGRAM_H

#include "datagram_flight.h"

/* --- the hooks --------------------------------------------------------------- */

/* Entry of udp_rcv and udpv6_rcv. */
static __always_inline void datagram_begin(struct sk_buff *skb, __u8 family)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight;
	struct demux_datagram *to;
	struct udp_header uh;
	int got;

	if (!cell)
		return;
	count_softirq(&cell->datagrams.seen);
	if (cell->datagrams_open)
		datagram_give_up(cell, skb);
	got = read_udp_header(skb, &uh);
	if (!datagram_wanted(family, &uh, got)) {
		if (filter_family(&config, family) && are_ports_apart(skb, got))
			count_softirq(&cell->datagrams.skipped);
		else
			count_softirq(&cell->datagrams.filtered);
		return;
	}

	flight = datagram_open(cell, skb);
	flight->check = got == sizeof(uh) ? datagram_check(&uh) : 0;
	datagram_fill(flight, family, &uh, got, GET(skb, len));
	to = &flight->record;
	to->netns = GET(skb, dev, nd_net.net, ns.inum);
	to->have |= DEMUX_HAVE_NETNS;
	if (read_addrs(skb, &to->ends))
		to->have |= DEMUX_HAVE_ADDRS;
	if (!filter_arrival(&config, to->netns, &to->ends)) {
		count_softirq(&cell->datagrams.filtered);
		datagram_close(cell, flight);
		return;
	}
	to->segs = read_segs(skb);
	to->ifindex = read_iif(skb, family);
	flight->is_group = is_to_group(skb, &to->ends);
	flight->carried = (__u64)GET(skb, sk);
	/* From 6.10 on it has sock_pfree, as bpf_sk_assign() has. */
	flight->is_early = config.sock_efree &&
			   (__u64)GET(skb, destructor) == config.sock_efree;
}

static __always_inline void datagram_end(struct sk_buff *skb)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight = datagram_current(cell);

	if (flight && flight->skb == (__u64)skb)
		datagram_finish(cell, flight);
}

/* The same two where the exit does not know the skb: see segment_returns(). */
static __always_inline void datagram_enters(struct sk_buff *skb, __u8 family)
{
	struct cell *cell = this_cell();

	if (cell)
		cell->datagram_depth++;
	datagram_begin(skb, family);
}

static __always_inline void datagram_returns(void)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight = datagram_current(cell);

	if (flight && (config.rt || flight->depth == cell->datagram_depth))
		datagram_finish(cell, flight);
	if (cell && cell->datagram_depth)
		cell->datagram_depth--;
}

/* udp_queue_rcv_skb(sk, skb), udpv6_queue_rcv_skb: once for each receiver, with
 * the datagram or a clone. */
static __always_inline void datagram_copy(struct sock *sk, struct sk_buff *skb)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight = datagram_current(cell);

	/* UDP-Lite comes here too, but not through udp_rcv. */
	if (flight && is_udp(sk))
		datagram_receiver(cell, flight, sk, (__u64)skb);
}

/* Is the filter asked for the last receiver? */
static __always_inline bool
datagram_is_filtering(struct datagram_flight *flight, struct sock *sk)
{
	if (!flight || !(flight->met & DATAGRAM_SOCKET) ||
	    flight->record.sock.id != sock_id(sk))
		return false;
	flight->met |= DATAGRAM_FILTERED;
	return true;
}

/* Exit of sk_filter_trim_cap(sk): its verdict. The skb may be a part of the
 * datagram, where GRO had merged several. */
static __always_inline void datagram_filter(struct sock *sk, bool denied)
{
	struct datagram_flight *flight = datagram_current(this_cell());

	if (datagram_is_filtering(flight, sk) && denied)
		flight->met |= DATAGRAM_DENIED;
}

/* The same where entry and exit are two hooks. */
static __always_inline void datagram_filter_begins(struct sock *sk)
{
	struct datagram_flight *flight = datagram_current(this_cell());

	if (flight)
		flight->filtering = datagram_is_filtering(flight, sk);
}

static __always_inline void datagram_filter_ends(bool denied)
{
	struct datagram_flight *flight = datagram_current(this_cell());

	if (!flight || !flight->filtering)
		return;
	flight->filtering = 0;
	if (denied)
		flight->met |= DATAGRAM_DENIED;
}

/* __icmp_send, icmp6_send: nobody's, if it says so of the datagram itself. */
static __always_inline void datagram_unreachable(struct sk_buff *skb)
{
	struct datagram_flight *flight = datagram_current(this_cell());

	if (!flight || flight->skb != (__u64)skb ||
	    flight->met & DATAGRAM_SOCKET)
		return;
	flight->met |= DATAGRAM_NOBODY;
	/* They say nothing of what the link layer sent to more than this host. */
	if (GET_BITS(skb, pkt_type) == PACKET_HOST)
		flight->record.notes |= DEMUX_NOTE_ICMP;
}

/* By policy, which the kernel asks before the filter? 5.10 gives no reasons, but
 * what else is dropped there is an encapsulation's. */
static __always_inline bool
datagram_is_refused(const struct datagram_flight *flight, __u32 reason)
{
	if (config.drop_args >= 3)
		return is_refusal(reason);
	return (flight->met & (DATAGRAM_SOCKET | DATAGRAM_FILTERED)) ==
		       DATAGRAM_SOCKET &&
	       !(flight->record.notes & DEMUX_NOTE_ENCAP);
}

/* Is what is dropped the datagram or its last copy, or a part of it, which a socket
 * without UDP_GRO gets one by one? Another one may have had its memory since. */
static __always_inline bool datagram_is_dropped(struct datagram_flight *flight,
						struct sk_buff *skb)
{
	bool is_whole = flight->skb == (__u64)skb || flight->copy == (__u64)skb;
	const struct demux_ends *ends = &flight->record.ends;
	struct udp_header uh;

	/* It is cut; or an encapsulation has taken the header away. */
	if (read_udp_header(skb, &uh) < 4 ||
	    (is_whole && flight->record.notes & DEMUX_NOTE_ENCAP))
		return is_whole;
	if (ends->lport != bpf_ntohs(uh.dest) ||
	    ends->rport != bpf_ntohs(uh.source))
		return false;
	/* Of what was merged as a list, the first part is the skb itself. */
	if (is_whole && (flight->record.segs < 2 || read_segs(skb) > 1))
		return true;
	if (!(flight->met & DATAGRAM_SOCKET) || flight->record.segs < 2)
		return false;
	flight->lost++;
	return true;
}

/* The kfree_skb tracepoint. */
static __always_inline void datagram_drop(struct sk_buff *skb, __u32 reason)
{
	struct datagram_flight *flight = datagram_current(this_cell());

	if (!flight || !datagram_is_dropped(flight, skb))
		return;
	datagram_dropped(flight, reason);
	if (flight->met & (DATAGRAM_NOBODY | DATAGRAM_DENIED))
		return;
	if (has_bad_checksum(skb, reason, config.bad_datagram) ||
	    datagram_needs_checksum(flight))
		flight->met |= DATAGRAM_BAD_CSUM;
	else if (datagram_is_refused(flight, reason))
		flight->met |= DATAGRAM_DENIED;
	else if (flight->met & DATAGRAM_SOCKET)
		flight->record.notes |= DEMUX_NOTE_DROPPED;
	else if (config.no_socket && reason == config.no_socket)
		flight->met |= DATAGRAM_NOBODY;
	else
		flight->met |= DATAGRAM_DROP;
}

#endif
