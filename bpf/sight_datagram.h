/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sight_datagram.h - what the stable backend's hooks do with datagrams, as
 * sight.h and sight_drop.h with segments: one sees each socket that gets a
 * datagram, another one what is dropped.
 */
#ifndef DEMUX_SIGHT_DATAGRAM_H
#define DEMUX_SIGHT_DATAGRAM_H

#include "datagram.h"
#include "bind.h"
#include "sight_drop.h"
#include "syscall.h"

/* The CPU goes on to something else. */
static __always_inline void sight_datagrams_end(void)
{
	struct cell *cell = this_cell();

	if (cell && cell->datagrams_open &&
	    cell->datagram_flights[0].task == flight_task())
		datagram_finish(cell, &cell->datagram_flights[0]);
}

/* The open flight, if its datagram has that header and these ends. */
static __always_inline struct datagram_flight *
sight_datagram_find(struct cell *cell, const struct udp_header *uh,
		    const struct demux_ends *ends)
{
	struct datagram_flight *flight = &cell->datagram_flights[0];
	const struct demux_ends *own = &flight->record.ends;

	return cell->datagrams_open && flight->check == datagram_check(uh) &&
			       own->lport == bpf_ntohs(uh->dest) &&
			       own->rport == bpf_ntohs(uh->source) &&
			       same_bytes(own->laddr, ends->laddr, 32) ?
		       flight :
		       NULL;
}

/* Opens a flight also for what nobody asked for, as sight_open() does. @ends
 * has the family and the addresses. */
static __always_inline struct datagram_flight *
sight_datagram_open(struct cell *cell, __u64 skb, const struct udp_header *uh,
		    int got, const struct demux_ends *ends, __u32 len)
{
	struct datagram_flight *flight;
	struct demux_datagram *to;

	if (cell->datagrams_open)
		datagram_finish(cell, &cell->datagram_flights[0]);
	count_softirq(&cell->datagrams.seen);
	flight = datagram_open(cell, (struct sk_buff *)skb);
	flight->carried = UNKNOWN_SOCK;
	flight->check = datagram_check(uh);
	datagram_fill(flight, ends->family, uh, got, len);
	to = &flight->record;
	__builtin_memcpy(to->ends.laddr, ends->laddr, 32);
	to->have |= DEMUX_HAVE_ADDRS | DEMUX_HAVE_NETNS;
	return flight;
}

/* Is it not asked for? To be asked when the record has its namespace. */
static __always_inline bool
sight_datagram_unwanted(struct cell *cell, struct datagram_flight *flight,
			const struct udp_header *uh, int got)
{
	if (datagram_wanted(flight->family, uh, got) &&
	    filter_arrival(&config, flight->record.netns, &flight->record.ends))
		return false;
	flight->unwanted = 1;
	count_softirq(&cell->datagrams.filtered);
	return true;
}

/* --- cgroup_skb: a socket gets the datagram, or a clone ----------------------- */

/* The open flight, if @sk gets a further copy of its datagram. A socket has one
 * copy of each, so the first one to come again has another datagram. Two
 * namespaces, or two devices of one, as behind a bridge, may get the same one after
 * the other. */
static __always_inline struct datagram_flight *
sight_copy(struct cell *cell, const struct udp_header *uh,
	   const struct demux_ends *ends, struct sock *sk, __u32 ifindex)
{
	struct datagram_flight *flight = sight_datagram_find(cell, uh, ends);

	return flight && flight->is_group && flight->first != (__u64)sk &&
			       flight->record.ifindex == ifindex &&
			       flight->record.netns ==
				       GET(sk, __sk_common.skc_net.net,
					   ns.inum) ?
		       flight :
		       NULL;
}

/*
 * Where @sk has another port or address, asks the kernel to look the datagram up
 * once more, as sight_request() does: what that does not give was on the skb
 * before; what it gives, a program on sk_lookup chose, of a group maybe another
 * one, but none that is connected. One that has these, and is connected to another
 * remote end, may be what early demux found before NAT gave the datagram another
 * source: nothing tells.
 */
static __always_inline void sight_assigned(struct __sk_buff *ctx,
					   struct datagram_flight *flight,
					   const struct sock *sk)
{
	struct demux_datagram *to = &flight->record;
	const struct demux_ends *at = &to->sock.ends;
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *found;
	bool is_looked_up;
	__u32 len;

	flight->carried = UNKNOWN_SOCK;
	/* Without a port it was closed meanwhile. */
	if (!at->lport || listens_for(&to->ends, &to->sock))
		return;
	len = sight_tuple(&tuple, &to->ends);
	found = bpf_sk_lookup_udp(ctx, &tuple, len, BPF_F_CURRENT_NETNS, 0);
	is_looked_up =
		found && found->src_port == at->lport &&
		(!is_connected(&to->sock) || address_of(found) == (__u64)sk);
	if (found)
		bpf_sk_release(found);
	if (is_looked_up)
		return;
	flight->carried = ASSIGNED_SOCK;
	to->predicted |= DEMUX_PREDICTED_VIA;
}

static __always_inline void sight_datagram(struct __sk_buff *ctx)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight;
	struct bpf_sock *any = ctx->sk;
	struct udp_header uh = {};
	struct demux_ends ends;
	struct ip_part part = {};
	struct sock *sk;
	__u32 ifindex;
	__u64 skb;

	if (!cell || !any)
		return;
	sk = (struct sock *)address_of(any);
	if (!is_udp(sk))
		return;
	if (!read_ip(ctx, &part, &ends, IPPROTO_UDP) ||
	    bpf_skb_load_bytes(ctx, part.len, &uh, sizeof(uh))) {
		count_softirq(&cell->datagrams.seen);
		count_softirq(&cell->datagrams.skipped);
		return;
	}
	ends.family = part.family;
	skb = skb_of(ctx);
	ifindex = read_iif((struct sk_buff *)skb, part.family);
	flight = sight_copy(cell, &uh, &ends, sk, ifindex);
	if (!flight) {
		struct demux_datagram *to;

		flight = sight_datagram_open(cell, skb, &uh, sizeof(uh), &ends,
					     ctx->len - part.len);
		flight->first = (__u64)sk;
		flight->is_group = is_to_group((struct sk_buff *)skb, &ends);
		to = &flight->record;
		to->netns = arrival_netns(skb);
		to->segs = ctx->gso_segs ?: 1;
		to->ifindex = ifindex;
		sight_datagram_unwanted(cell, flight, &uh, sizeof(uh));
	}
	if (flight->unwanted)
		return;
	datagram_receiver(cell, flight, sk, skb);
	sight_assigned(ctx, flight, sk);
}

/* --- the kfree_skb tracepoint --------------------------------------------------- */

/* Dropped after a socket had got it: a filter, no room. 5.10 does not say which:
 * then it is told as dropped, which is true of both. */
static __always_inline void sight_datagram_lost(struct datagram_flight *flight,
						__u32 reason)
{
	if (flight->unwanted)
		return;
	datagram_dropped(flight, reason);
	if (is_refusal(reason)) {
		flight->met |= DATAGRAM_DENIED;
		return;
	}
	flight->record.notes |= DEMUX_NOTE_DROPPED;
	if (config.drop_args < 3)
		flight->record.predicted |= DEMUX_PREDICTED_OUTCOME;
}

/* Dropped before any had. */
static __always_inline void
sight_datagram_nobody(struct cell *cell, struct datagram_flight *flight,
		      struct sk_buff *skb, __u32 reason, struct sock *rx_sk)
{
	bool is_nobodys = config.no_socket && reason == config.no_socket;

	/* Only its header may have lain where it was not read. */
	if (flight->met & DATAGRAM_TOO_SHORT && !is_nobodys)
		return;
	if (rx_sk && is_udp(rx_sk))
		datagram_receiver(cell, flight, rx_sk, (__u64)skb);
	if (has_bad_checksum(skb, reason, config.bad_datagram) ||
	    datagram_needs_checksum(flight)) {
		flight->met |= DATAGRAM_BAD_CSUM;
	} else if (flight->met & DATAGRAM_SOCKET) {
		flight->met |= DATAGRAM_DENIED;
	} else if (is_nobodys) {
		flight->met |= DATAGRAM_NOBODY;
	} else if (config.drop_args >= 3 || flight->is_group) {
		flight->met |= DATAGRAM_DROP;
	} else {
		flight->met |= DATAGRAM_NOBODY;
		flight->record.predicted |= DEMUX_PREDICTED_OUTCOME;
	}
}

static __always_inline void sight_datagram_drop(struct sk_buff *skb,
						__u64 location, __u32 reason,
						struct sock *rx_sk)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight;
	struct udp_header uh = {};
	struct demux_datagram *to;
	struct demux_ends ends;
	int got;

	if (!cell || (!IS_IN(datagram_receivers, location) &&
		      !IS_IN(datagram_queuers, location)))
		return;
	cell->datagram_dropped = (__u64)skb;
	ends.family = GET(skb, protocol) == bpf_htons(ETH_P_IP) ? 4 : 6;
	if (!read_addrs(skb, &ends) || is_udplite(skb, ends.family))
		return;
	got = read_udp_header(skb, &uh);
	flight = sight_datagram_find(cell, &uh, &ends);
	/* What has the address of the last copy, and was given to a socket. */
	if (flight && !(config.no_socket && reason == config.no_socket) &&
	    flight->copy == (__u64)skb) {
		sight_datagram_lost(flight, reason);
		if (!flight->is_group)
			datagram_finish(cell, flight);
		return;
	}
	/* One CPU queues what others bring meanwhile: it was told there. */
	if (IS_IN(datagram_queuers, location))
		return;
	flight = sight_datagram_open(cell, (__u64)skb, &uh, got, &ends,
				     GET(skb, len));
	flight->is_group = is_to_group(skb, &ends);
	to = &flight->record;
	to->netns = GET(skb, dev, nd_net.net, ns.inum);
	to->segs = read_segs(skb);
	to->ifindex = read_iif(skb, ends.family);
	if (!sight_datagram_unwanted(cell, flight, &uh, got))
		sight_datagram_nobody(cell, flight, skb, reason, rx_sk);
	datagram_dropped(flight, reason);
	datagram_finish(cell, flight);
}

/* As sight_drop_again(). */
static __always_inline void sight_datagram_drop_again(struct sk_buff *skb,
						      __u64 location,
						      __u32 reason,
						      struct sock *rx_sk)
{
	struct cell *cell = this_cell();

	if (!cell || (!IS_IN(datagram_receivers, location) &&
		      !IS_IN(datagram_queuers, location)))
		return;
	if (cell->datagram_dropped != (__u64)skb)
		sight_datagram_drop(skb, location, reason, rx_sk);
	cell->datagram_dropped = 0;
}

/* --- a socket's life ------------------------------------------------------------ */

/* bind() or connect() was good, of this task's descriptor. */
static __always_inline void sight_binds(struct pt_regs *regs, long ret)
{
	long number = SYSCALL_NUMBER(regs);
	struct socket *socket;
	struct sock *sk = syscall_rebound(regs, ret);

	if (sk)
		udp_sock_rebinds(sk);
	if ((number != SYS_BIND && number != SYS_CONNECT) || ret || is_compat())
		return;
	socket = syscall_socket(PT_REGS_PARM1_CORE_SYSCALL(regs));
	sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
	if (sk)
		sock_binds(sk);
}

#endif
