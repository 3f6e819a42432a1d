/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sight.h - what the hooks of the stable backend do. None of them lies at
 * the entry or exit of tcp_v4_rcv: one sees a segment with the full socket that
 * got it, another one the segment that was dropped without. So a flight begins
 * with the first of these, and ends when the next one begins, the segment is
 * dropped, or the CPU has received all that there was.
 */
#ifndef DEMUX_SIGHT_H
#define DEMUX_SIGHT_H

#include "accept.h"
#include "fate.h"
#include "segment.h"
#include "sight_ip.h"

static __always_inline void sight_finish(struct cell *cell)
{
	if (cell->open)
		flight_finish(0);
}

/* The CPU goes on to something else. */
static __always_inline void sight_round_ends(void)
{
	struct cell *cell = this_cell();

	if (!cell)
		return;
	if (cell->open && cell->flights[0].task == flight_task())
		sight_finish(cell);
	cell->reset = 0;
}

/* The open flight, if it is that of the segment with this skb and header. */
static __always_inline struct flight *sight_find(struct cell *cell, __u64 skb,
						 const struct tcp_header *th)
{
	struct flight *flight = &cell->flights[0];
	struct demux_segment *seg = &flight->record.more.segment;

	if (!cell->open || !has_header(seg, th))
		return NULL;
	return flight->skb == skb ? flight : NULL;
}

/* Opens a flight also for what nobody asked for: it may be dropped after it was
 * matched, and must not be counted again then. */
static __always_inline struct flight *sight_open(struct cell *cell, __u64 skb)
{
	struct flight *flight;

	sight_finish(cell);
	count_softirq(&cell->count.seen);
	flight = flight_open(cell, (struct sk_buff *)skb);
	flight->matched = 0;
	flight->record.more.segment.flags = 0;
	flight->carried = CARRIED_UNKNOWN;
	flight->carrying = 0;
	return flight;
}

static __always_inline void sight_unwanted(struct cell *cell,
					   struct flight *flight,
					   const struct tcp_header *th)
{
	struct demux_segment *seg = &flight->record.more.segment;

	seg->ends.lport = bpf_ntohs(th->dest);
	seg->ends.rport = bpf_ntohs(th->source);
	seg->seq = bpf_ntohl(th->seq);
	seg->ack = bpf_ntohl(th->ack);
	seg->flags = th->flags;
	flight->unwanted = 1;
	count_softirq(&cell->count.filtered);
}

/* --- cgroup_skb: a full socket gets the segment --------------------------- */

/* The arguments of a lookup for what has these ends; returns how many bytes of
 * them count. */
static __always_inline __u32 sight_tuple(struct bpf_sock_tuple *tuple,
					 const struct demux_ends *ends)
{
	if (ends->family == 4) {
		__builtin_memcpy(&tuple->ipv4.saddr, ends->raddr, 4);
		__builtin_memcpy(&tuple->ipv4.daddr, ends->laddr, 4);
		tuple->ipv4.sport = bpf_htons(ends->rport);
		tuple->ipv4.dport = bpf_htons(ends->lport);
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, ends->raddr, 16);
	__builtin_memcpy(tuple->ipv6.daddr, ends->laddr, 16);
	tuple->ipv6.sport = bpf_htons(ends->rport);
	tuple->ipv6.dport = bpf_htons(ends->lport);
	return sizeof(tuple->ipv6);
}

/* The lookup that is repeated asks for skb->dev, which is loopback where a host
 * talks to itself: a request of a listener that is bound to another device, or
 * from a link-local address, is that device's, and not found. */
static __always_inline bool is_request_hidden(struct __sk_buff *ctx,
					      const struct demux_segment *seg)
{
	const __u8 *raddr = seg->ends.raddr;
	bool is_link_local = seg->ends.family == 6 && raddr[0] == 0xfe &&
			     (raddr[1] & 0xc0) == 0x80;

	return ctx->ifindex == LOOPBACK_IFINDEX &&
	       (seg->sock.ifindex ? seg->sock.ifindex != LOOPBACK_IFINDEX :
				    is_link_local);
}

/*
 * The hook shows a request's listener, never the request. Asks the kernel to
 * look the segment up once more, which is the very lookup of moments ago, unless
 * another CPU was quicker. Not asked where the listener has no request at all,
 * and is one that the tables could give. Of one that they could not, the answer
 * tells whether a program chose it in the lookup, or it was on the skb before.
 */
static __always_inline void sight_request(struct __sk_buff *ctx,
					  struct flight *flight, __u64 listener,
					  bool has_requests)
{
	struct demux_segment *seg = &flight->record.more.segment;
	bool assigned = !listens_for(&seg->ends, &seg->sock);
	struct bpf_sock_tuple tuple = {};
	__u32 len = sight_tuple(&tuple, &seg->ends);
	struct bpf_sock *found =
		bpf_skc_lookup_tcp(ctx, &tuple, len, BPF_F_CURRENT_NETNS, 0);

	/* What is found instead of a request may have taken its place just now;
	 * and a host that talks to itself is looked up here by another device
	 * than by TCP. */
	if (has_requests && seg->flags & TCP_FLAG_ACK) {
		seg->predicted |= DEMUX_PREDICTED_OUTCOME;
		if (is_request_hidden(ctx, seg))
			flight->met |= MET_HIDDEN;
	}
	if (found && (found->state == TCP_NEW_SYN_RECV ||
		      found->src_port == seg->sock.ends.lport))
		assigned = false;
	if (assigned) {
		flight->carried = CARRIED_OTHER;
		seg->predicted |= DEMUX_PREDICTED_VIA;
	}
	if (!found)
		return;
	if (found->state == TCP_NEW_SYN_RECV) {
		flight_parent(flight, (struct sock_common *)listener);
		flight_match(flight, (struct sock_common *)address_of(found));
		flight->met |= MET_REQUEST;
		if (is_syn_again(seg, address_of(found)))
			flight->met |= MET_SYN_REPEATED;
		seg->predicted |= DEMUX_PREDICTED_OUTCOME |
				  DEMUX_PREDICTED_SOCK;
	}
	bpf_sk_release(found);
}

/* @flight has its queues. */
static __always_inline void
sight_listener(struct __sk_buff *ctx, struct flight *flight, struct sock *sk)
{
	struct demux_segment *seg = &flight->record.more.segment;
	bool has_requests = seg->syn_queue || may_inherit_requests(sk);

	flight_sk_lookup(flight, arrival_net(flight->skb));
	if (has_requests || !listens_for(&seg->ends, &seg->sock))
		sight_request(ctx, flight, (__u64)sk, has_requests);
}

/* A cgroup_skb program runs with the kernel's own skb for its context; what the
 * verifier lets it ask of that is rewritten to reads of it. */
static __always_inline __u64 skb_of(struct __sk_buff *ctx)
{
	return address_of(ctx);
}

/* The options of the TCP header, of @header bytes, that lies at @tcp. */
static __always_inline void sight_options(struct __sk_buff *ctx,
					  struct flight *flight, __u32 tcp,
					  __u32 header)
{
	struct demux_why *why = &flight->record.why;
	__u32 bytes = header - 20;

	if (header < 20 || header > 60)
		return;
	/* They are a multiple of 4; the verifier of 5.10 asks for a bound. */
	asm volatile("" : "+r"(bytes));
	if (bytes >= 4 &&
	    (bytes > DEMUX_OPTIONS ||
	     bpf_skb_load_bytes(ctx, tcp + 20, why->options, bytes)))
		return;
	why->option_bytes = bytes;
	why->have |= DEMUX_WHY_OPTIONS;
}

static __always_inline void sight_fill(struct __sk_buff *ctx,
				       struct flight *flight, __u64 sk,
				       __u32 tcp, __u32 header)
{
	struct demux_segment *seg = &flight->record.more.segment;
	struct sk_buff *skb = (struct sk_buff *)flight->skb;

	seg->segs = ctx->gso_segs ?: 1;
	seg->ifindex = read_iif(skb, seg->ends.family);
	if (config.detail) {
		flight_device(flight);
		why_query(flight, (__u64)arrival_net(flight->skb));
		sight_options(ctx, flight, tcp, header);
	}
	flight_match(flight, (struct sock_common *)sk);
	/* Of another namespace it can only be a listener: see sk_lookup. */
	seg->netns = seg->sock.state == TCP_LISTEN ?
			     arrival_netns(flight->skb) :
			     seg->sock.netns;
	seg->have |= DEMUX_HAVE_NETNS | DEMUX_HAVE_ADDRS;
}

/*
 * The open flight, if the kernel asks for its segment once more: a request with
 * a bad ACK goes to its listener again, and one that another CPU took first is
 * looked up again, to the full socket that it has become.
 */
static __always_inline struct flight *sight_again(struct cell *cell, __u64 skb,
						  const struct tcp_header *th,
						  __u64 sk, bool listens)
{
	struct flight *flight = sight_find(cell, skb, th);

	if (!flight || !flight->listener || flight->child ||
	    flight->matched != flight->listener || !(th->flags & TCP_FLAG_ACK))
		return NULL;
	if (listens)
		return flight->listener == sk && (flight->unwanted ||
						  flight->met & MET_REQUEST) ?
			       flight :
			       NULL;
	return flight;
}

static __always_inline void sight_rematch(struct flight *flight, __u64 sk)
{
	struct demux_segment *seg = &flight->record.more.segment;

	flight->matched = sk;
	if (flight->unwanted)
		return;
	seg->have &= ~DEMUX_HAVE_PARENT;
	seg->notes |= DEMUX_NOTE_REPEATED;
	seg->predicted = 0;
	flight->record.why.have &= DEMUX_WHY_OPTIONS;
	flight_match(flight, (struct sock_common *)sk);
	flight->met |= MET_FULL | MET_STOLEN;
}

static __always_inline void sight_match(struct __sk_buff *ctx)
{
	struct cell *cell = this_cell();
	struct demux_ends ends;
	struct bpf_sock *any = ctx->sk;
	struct tcp_header th = {};
	struct ip_part part = {};
	struct flight *flight;
	struct sock *sk;
	bool listens;
	__u64 skb;

	if (!cell || !any)
		return;
	sk = (struct sock *)address_of(bpf_skc_to_tcp_sock(any));
	if (!sk || !is_tcp(sk))
		return;
	if (!read_ip(ctx, &part, &ends, IPPROTO_TCP) ||
	    bpf_skb_load_bytes(ctx, part.len, &th, sizeof(th))) {
		count_softirq(&cell->count.seen);
		count_softirq(&cell->count.skipped);
		return;
	}
	skb = skb_of(ctx);
	listens = GET(sk, __sk_common.skc_state) == TCP_LISTEN;
	flight = sight_again(cell, skb, &th, (__u64)sk, listens);
	if (flight) {
		if (listens)
			flight->met |= MET_BAD_ACK;
		else
			sight_rematch(flight, (__u64)sk);
		return;
	}
	flight = sight_open(cell, skb);
	flight->matched = (__u64)sk;
	if (listens)
		flight->listener = (__u64)sk;
	/* Whoever is not wanted has them for its child. */
	flight->record.more.segment.ends.family = part.family;
	__builtin_memcpy(flight->record.more.segment.ends.laddr, ends.laddr,
			 32);
	if (!segment_wanted(part.family, &th, sizeof(th))) {
		sight_unwanted(cell, flight, &th);
		return;
	}
	segment_fill(flight, part.family, &th, sizeof(th), ctx->len - part.len);
	sight_fill(ctx, flight, (__u64)sk, part.len, (th.offset >> 4) * 4);
	if (!filter_arrival(&config, flight->record.more.segment.netns,
			    &flight->record.more.segment.ends)) {
		sight_unwanted(cell, flight, &th);
		return;
	}
	flight->met |= listens ? MET_LISTENER : MET_FULL;
	if (!listens)
		return;
	flight_queues(flight, sk);
	sight_listener(ctx, flight, sk);
	/* The flight may end much later. */
	if (config.detail && !(flight->met & MET_REQUEST))
		why_listeners(flight->place);
}

/* --- the inet_sock_set_state tracepoint ------------------------------------- */

/* A socket has become ESTABLISHED: the child that this flight's segment made of
 * a request or of a cookie. It may have other ends, where early demux found the
 * request of another before NAT gave the segment its source; but not if a process
 * has it already, which may just be at its backlog, when this flight's segment has
 * been dealt with. */
static __always_inline void sight_child(struct sock *child)
{
	struct cell *cell = this_cell();
	struct flight *flight;
	struct demux_sock seen;

	if (!cell || !cell->open)
		return;
	flight = &cell->flights[0];
	if (!flight->listener)
		return;
	read_sock(&seen, &child->__sk_common);
	if (!same_ends(&flight->record.more.segment.ends, &seen.ends) &&
	    (GET(child, sk_socket) || !is_tcp(child)))
		return;
	if (flight->unwanted) {
		flight->child = (__u64)child;
		return;
	}
	accept_birth((struct sock *)flight->listener, child);
	flight_child(flight, (struct sock *)flight->listener, child);
}

#endif
