/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * segment.h - what each hook on a segment's way does, whatever kind of probe
 * calls it: entry, the sockets it meets, exit.
 */
#ifndef DEMUX_SEGMENT_H
#define DEMUX_SEGMENT_H

#include "flight.h"

static __always_inline void fill_tcp(struct demux_segment *seg,
				     const struct tcp_header *th, __u32 len)
{
	__u32 header = (th->offset >> 4) * 4;

	seg->seq = bpf_ntohl(th->seq);
	seg->ack = bpf_ntohl(th->ack);
	seg->flags = (th->offset & 0x0f) << 8 | th->flags;
	seg->window = bpf_ntohs(th->window);
	seg->payload = len > header ? len - header : 0;
	seg->have |= DEMUX_HAVE_TCP;
}

static __always_inline bool has_header(const struct demux_segment *seg,
				       const struct tcp_header *th)
{
	return seg->ends.lport == bpf_ntohs(th->dest) &&
	       seg->ends.rport == bpf_ntohs(th->source) &&
	       seg->seq == bpf_ntohl(th->seq) &&
	       seg->ack == bpf_ntohl(th->ack) &&
	       (seg->flags & 0xff) == th->flags;
}

/* By what is cheap to know. @got as read_tcp_header() returned it. */
static __always_inline bool segment_wanted(__u8 family,
					   const struct tcp_header *th, int got)
{
	if (!filter_family(&config, family))
		return false;
	/* Too short to have a port: of no port that was asked for. */
	return config.any_port ||
	       (got && filter_port(&config, bpf_ntohs(th->dest)));
}

/* Fills in what its header says of the segment, which with it has @len bytes. */
static __always_inline void segment_fill(struct flight *flight, __u8 family,
					 const struct tcp_header *th, int got,
					 __u32 len)
{
	struct demux_segment *seg = &flight->record.more.segment;

	fill_head(&seg->head, DEMUX_SEGMENT, sizeof(*seg));
	seg->have = 0;
	seg->ends.family = family;
	seg->ends.lport = seg->ends.rport = 0;
	if (got) {
		seg->ends.lport = bpf_ntohs(th->dest);
		seg->ends.rport = bpf_ntohs(th->source);
		seg->have |= DEMUX_HAVE_PORTS;
	}
	seg->seq = seg->ack = seg->payload = seg->flags = seg->window = 0;
	if (got >= (int)sizeof(*th))
		fill_tcp(seg, th, len);
	else
		flight->met |= MET_TOO_SHORT;
	if (got >= (int)sizeof(*th) &&
	    ((th->offset >> 4) < 5 || (th->offset >> 4) * 4 > len))
		flight->met |= MET_TOO_SHORT;
	seg->notes = 0;
	seg->predicted = 0;
	seg->detail = 0;
	seg->assigned_by = 0;
	seg->drop_reason = 0;
	seg->accept_queue = seg->accept_limit = seg->syn_queue = 0;
	seg->sk_lookup = 0;
	seg->sdif = seg->pad = 0;
	if (config.detail)
		__builtin_memset(&flight->record.why, 0,
				 sizeof(flight->record.why));
	seg->sock.id = 0;
}

/* Entry of tcp_v4_rcv and tcp_v6_rcv. Everything is copied here and now: the
 * skb may be gone, or be another's, before the function returns. */
static __always_inline void segment_begin(struct sk_buff *skb, __u8 family)
{
	struct cell *cell = this_cell();
	struct demux_segment *seg;
	struct tcp_header th;
	struct flight *flight;
	int got;

	if (!cell)
		return;
	if (GET_BITS(skb, pkt_type) != PACKET_HOST) {
		count_softirq(&cell->count.not_host);
		return;
	}
	count_softirq(&cell->count.seen);
	if (cell->open)
		flight_give_up(cell, skb);
	got = read_tcp_header(skb, &th);
	if (!segment_wanted(family, &th, got)) {
		if (filter_family(&config, family) && are_ports_apart(skb, got))
			count_softirq(&cell->count.skipped);
		else
			count_softirq(&cell->count.filtered);
		return;
	}

	flight = flight_open(cell, skb);
	segment_fill(flight, family, &th, got, GET(skb, len));
	seg = &flight->record.more.segment;
	seg->netns = GET(skb, dev, nd_net.net, ns.inum);
	seg->have |= DEMUX_HAVE_NETNS;
	if (read_addrs(skb, &seg->ends))
		seg->have |= DEMUX_HAVE_ADDRS;
	if (!filter_arrival(&config, seg->netns, &seg->ends)) {
		count_softirq(&cell->count.filtered);
		flight_close(cell, flight);
		return;
	}
	seg->segs = read_segs(skb);
	seg->ifindex = read_iif(skb, family);
	if (config.detail) {
		flight_device(flight);
		why_query(flight, (__u64)GET(skb, dev, nd_net.net));
		why_options(flight, skb, &th, got);
	}
	flight_carried(flight, skb);
}

static __always_inline void segment_end(struct sk_buff *skb)
{
	struct cell *cell = this_cell();
	struct flight *flight = flight_find(cell, skb);

	if (flight)
		flight_finish(flight->place);
}

/* The same two where the exit does not know the skb. */
static __always_inline void segment_enters(struct sk_buff *skb, __u8 family)
{
	struct cell *cell = this_cell();

	if (cell)
		cell->depth++;
	segment_begin(skb, family);
}

static __always_inline void segment_returns(void)
{
	struct cell *cell = this_cell();
	struct flight *flight = flight_returning(cell);

	if (flight)
		flight_finish(flight->place);
	/* At the start of a trace a call may return that nobody saw begin. */
	if (cell && cell->depth)
		cell->depth--;
}

/* Is what early demux put on the skb a request, whose listener is asked now? It
 * is looked up again where that one has closed. */
static __always_inline bool carries_request(const struct flight *flight)
{
	const struct demux_segment *seg = &flight->record.more.segment;

	return flight->carried == CARRIED_MATCH &&
	       seg->sock.state == TCP_NEW_SYN_RECV &&
	       seg->sock.id == sock_id((void *)flight->carrying) &&
	       !(flight->met & MET_LISTENER_CLOSED);
}

/*
 * sk_filter_trim_cap(sk, skb): @sk is the socket that the lookup found, before
 * it gets the segment. For a request it is the listener; tcp_check_req, which
 * comes next unless the segment is refused, tells the request.
 */
static __always_inline void segment_filter(struct sock *sk, struct sk_buff *skb,
					   bool denied)
{
	struct flight *flight = flight_find(this_cell(), skb);
	struct demux_segment *seg;

	if (!flight || !is_tcp(sk))
		return;
	seg = &flight->record.more.segment;
	if (GET(sk, __sk_common.skc_state) == TCP_LISTEN) {
		flight->listener = (__u64)sk;
		flight_queues(flight, sk);
		flight_sk_lookup(flight, GET(skb, dev, nd_net.net));
		if (carries_request(flight)) {
			flight_met(flight, flight->carrying);
			flight->met |= MET_REQUEST;
		}
		if (flight->met & (MET_TIME_WAIT | MET_REQUEST))
			flight_parent(flight, &sk->__sk_common);
		else
			flight_match(flight, &sk->__sk_common);
		flight->met |= MET_LISTENER;
	} else {
		if (flight->met & MET_REQUEST)
			seg->notes |= DEMUX_NOTE_REPEATED;
		seg->have &= ~DEMUX_HAVE_PARENT;
		flight_match(flight, &sk->__sk_common);
		flight->met |= MET_FULL;
	}
	if (denied)
		flight->met |= MET_FILTER_DENIED;
}

/* The same where entry and exit are two hooks, and the exit knows the verdict
 * alone. */
static __always_inline void segment_filter_begins(struct sock *sk,
						  struct sk_buff *skb)
{
	struct flight *flight = flight_find(this_cell(), skb);

	if (flight)
		flight->filtering = 1;
	segment_filter(sk, skb, false);
}

static __always_inline void segment_filter_ends(bool denied)
{
	struct flight *flight = flight_current(this_cell());

	if (!flight || !flight->filtering)
		return;
	flight->filtering = 0;
	if (denied)
		flight->met |= MET_FILTER_DENIED;
}

/* Entry of tcp_check_req(listener, skb, req, fastopen, stolen): at its exit the
 * request may be accepted and freed already. */
static __always_inline void segment_request(struct sock *listener,
					    struct sk_buff *skb,
					    struct request_sock *req,
					    bool *stolen)
{
	struct flight *flight = flight_find(this_cell(), skb);

	if (!flight)
		return;
	if (flight->met & MET_REQUEST &&
	    flight->record.more.segment.sock.id != sock_id(&req->__req_common))
		flight->record.more.segment.notes |= DEMUX_NOTE_REPEATED;
	flight->listener = (__u64)listener;
	flight->request = (__u64)req;
	flight->stolen = (__u64)stolen;
	flight_sk_lookup(flight, GET(skb, dev, nd_net.net));
	flight_parent(flight, &listener->__sk_common);
	flight_match(flight, &req->__req_common);
	flight->met |= MET_REQUEST;
}

static __always_inline void segment_timewait(struct inet_timewait_sock *tw,
					     struct sk_buff *skb)
{
	struct flight *flight = flight_find(this_cell(), skb);

	if (!flight)
		return;
	flight_match(flight, &tw->__tw_common);
	flight->met |= MET_TIME_WAIT;
}

/* tcp_v4_send_reset, tcp_v6_send_reset: with no socket it says that the segment
 * is nobody's. A segment that is itself a reset gets no answer, nor does what is
 * nobody's and came to an address of many; nor what is signed, but by the key of its
 * socket. */
static __always_inline void segment_reset(const struct sock *sk,
					  struct sk_buff *skb, __u8 family)
{
	struct flight *flight = flight_find(this_cell(), skb);
	struct demux_segment *seg;

	if (!flight)
		return;
	seg = &flight->record.more.segment;
	if (!sk)
		flight_nobody(flight, skb);
	if (!(seg->flags & TCP_FLAG_RST) &&
	    (sk || is_to_own_address((__u64)skb, family)) &&
	    !is_signed(skb, sk, family))
		seg->notes |= DEMUX_NOTE_RESET;
}

/* reuseport_select_sock(sk, hash, skb): the lookup has come to a group of
 * listeners. A lookup for others than TCP has no skb. */
static __always_inline void segment_group(__u32 hash, struct sk_buff *skb)
{
	struct flight *flight = skb ? flight_find(this_cell(), skb) : NULL;

	if (flight && config.detail)
		why_group(flight, hash);
}

/* tcp_child_process(listener, child, skb): the last ACK of a handshake, or a
 * SYN cookie's, made @child. */
static __always_inline void
segment_child(struct sock *listener, struct sock *child, struct sk_buff *skb)
{
	struct flight *flight = flight_find(this_cell(), skb);

	if (flight)
		flight_child(flight, listener, child);
}

/* inet_csk_reqsk_queue_add(listener, req, child): the only place that shows a
 * Fast Open child, which a SYN makes. It has no skb, but runs inside the flight
 * that has met the listener. */
static __always_inline void segment_queued(struct sock *listener,
					   struct sock *child)
{
	struct flight *flight = flight_current(this_cell());

	if (flight && flight->met & MET_LISTENER)
		flight_child(flight, listener, child);
}

/* A segment that was taken may be free already, and an answer to it, which is
 * dropped now, have its memory. The skb's data is the header, or what follows. */
static __always_inline bool is_another(const struct demux_segment *seg,
				       struct sk_buff *skb)
{
	const unsigned char *at = GET(skb, head) + GET(skb, transport_header);
	struct tcp_header th;

	return seg->have & DEMUX_HAVE_TCP &&
	       !bpf_probe_read_kernel(&th, sizeof(th), at) &&
	       !has_header(seg, &th);
}

/*
 * The kfree_skb tracepoint, for what no other hook saw. @rx_sk (6.11, commit
 * 46a02aa35752 "tracepoint: add missing rx_sk to kfree_skb") is the socket the
 * segment was refused by; before that it is not known.
 */
static __always_inline void segment_drop(struct sk_buff *skb, __u32 reason,
					 struct sock *rx_sk)
{
	struct flight *flight = flight_find(this_cell(), skb);

	if (!flight || is_another(&flight->record.more.segment, skb))
		return;
	flight_dropped(flight, reason);
	if (has_bad_checksum(skb, reason, config.bad_csum))
		flight->met |= MET_BAD_CSUM;
	if (flight->met & (MET_SOCKET | MET_NOBODY))
		return;
	if (config.no_socket && reason == config.no_socket) {
		flight_nobody(flight, skb);
		return;
	}
	if (!(flight->met & MET_BAD_CSUM))
		flight->met |= MET_DROP;
	if (flight->carrying)
		flight_met(flight, flight->carrying);
	if (!rx_sk)
		return;
	/* Of a request the kernel names the listener, which was asked; what had
	 * the segment came with the skb. */
	if (carries_request(flight))
		flight_parent(flight, &rx_sk->__sk_common);
	else
		flight_match(flight, &rx_sk->__sk_common);
}

#endif
