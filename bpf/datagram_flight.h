/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datagram_flight.h - the record of one udp_rcv or udpv6_rcv call while it is
 * under way, beside those of segments in flight.h: one place for the datagram,
 * told once for each socket that gets it.
 */
#ifndef DEMUX_DATAGRAM_FLIGHT_H
#define DEMUX_DATAGRAM_FLIGHT_H

#include "emit.h"
#include "filter.h"
#include "flight.h"
#include "kernel_udp.h"
#include "owner.h"

/* Instead of an address. */
#define UNKNOWN_SOCK  1
#define ASSIGNED_SOCK 2 /* by a rule or a program */

/* --- flights ---------------------------------------------------------------- */

/* The datagram flight inside which this code runs, or NULL. */
static __always_inline struct datagram_flight *
datagram_current(struct cell *cell)
{
	__u64 task;

	if (!cell || !cell->datagrams_open)
		return NULL;
	task = flight_task();
	for (int i = FLIGHTS - 1; i >= 0; i--) {
		struct datagram_flight *flight = &cell->datagram_flights[i];

		if (flight->skb && flight->task == task)
			return flight;
	}
	return NULL;
}

static __always_inline void datagram_close(struct cell *cell,
					   struct datagram_flight *flight)
{
	flight->skb = 0;
	cell->datagrams_open--;
}

/* As flight_give_up(): an exit that was never seen. */
static __always_inline void datagram_give_up(struct cell *cell,
					     struct sk_buff *skb)
{
	struct datagram_flight *flight = datagram_current(cell);

	if (flight && flight->skb != (__u64)skb)
		flight = NULL;
	if (!flight && cell->datagrams_open >= FLIGHTS)
		flight = &cell->datagram_flights[0];
	if (!flight)
		return;
	count_softirq(&cell->datagrams.skipped);
	datagram_close(cell, flight);
}

/* Returns a free place; datagram_give_up() has seen to it that there is one. */
static __always_inline struct datagram_flight *
datagram_open(struct cell *cell, struct sk_buff *skb)
{
	__u32 place = cell->datagram_flights[0].skb != 0;
	struct datagram_flight *flight = &cell->datagram_flights[place];

	cell->datagrams_open++;
	flight->place = place;
	flight->depth = cell->datagram_depth;
	flight->skb = (__u64)skb;
	flight->task = flight_task();
	flight->copy = 0;
	flight->first = 0;
	flight->carried = 0;
	flight->met = 0;
	flight->told = 0;
	flight->filtering = 0;
	flight->unwanted = 0;
	flight->owned = 0;
	flight->lost = 0;
	flight->is_early = 0;
	flight->is_group = 0;
	return flight;
}

static __always_inline __u32 datagram_check(const struct udp_header *uh)
{
	return (__u32)uh->len << 16 | uh->check;
}

/* Dropped for its want of a checksum? IPv6 has it so, before a socket gets it;
 * UDP_NO_CHECK6_RX allows it. */
static __always_inline bool
datagram_needs_checksum(const struct datagram_flight *flight)
{
	return flight->family == 6 && !(flight->check & 0xffff) &&
	       !flight->is_group &&
	       !(flight->met & (DATAGRAM_SOCKET | DATAGRAM_TOO_SHORT));
}

/* --- a record --------------------------------------------------------------- */

/* Fills in what its header says of the datagram, which with it has @len bytes.
 * @got as read_udp_header() returned it. */
static __always_inline void datagram_fill(struct datagram_flight *flight,
					  __u8 family,
					  const struct udp_header *uh, int got,
					  __u32 len)
{
	struct demux_datagram *to = &flight->record;
	__u32 claimed;

	fill_head(&to->head, DEMUX_DATAGRAM, sizeof(*to));
	flight->family = family;
	to->have = 0;
	to->ends.family = family;
	to->ends.lport = to->ends.rport = 0;
	if (got) {
		to->ends.lport = bpf_ntohs(uh->dest);
		to->ends.rport = bpf_ntohs(uh->source);
		to->have |= DEMUX_HAVE_PORTS;
	}
	to->payload = 0;
	to->copy = 0;
	to->sdif = 0;
	to->sk_lookup = to->pad = 0;
	to->notes = 0;
	to->predicted = 0;
	if (got < (int)sizeof(*uh)) {
		flight->met |= DATAGRAM_TOO_SHORT;
		return;
	}
	claimed = bpf_ntohs(uh->len);
	if (family == 6 && !claimed)
		claimed = len; /* a jumbogram */
	if (claimed < sizeof(*uh) || claimed > len) {
		flight->met |= DATAGRAM_TOO_SHORT;
		return;
	}
	to->payload = claimed - sizeof(*uh);
	to->have |= DEMUX_HAVE_LEN;
}

/* By what is cheap to know. */
static __always_inline bool
datagram_wanted(__u8 family, const struct udp_header *uh, int got)
{
	if (!filter_family(&config, family))
		return false;
	/* Too short to have a port: of no port that was asked for. */
	return config.any_port ||
	       (got && filter_port(&config, bpf_ntohs(uh->dest)));
}

/* --- what is told ------------------------------------------------------------ */

/* The socket that came with the skb, as classify_datagram_via() wants it. Early
 * demux brings what has both ends, or the only one that many's address has. */
static __always_inline enum demux_carried
datagram_carried(const struct datagram_flight *flight)
{
	const struct demux_datagram *datagram = &flight->record;

	if (!flight->carried)
		return CARRIED_NONE;
	if (flight->carried == UNKNOWN_SOCK)
		return CARRIED_UNKNOWN;
	if (flight->is_group)
		return listens_for(&datagram->ends, &datagram->sock) ?
			       CARRIED_MATCH :
			       CARRIED_OTHER;
	if (same_ends(&datagram->ends, &datagram->sock.ends))
		return CARRIED_MATCH;
	/* By the ends that it had before NAT gave it others. */
	if (flight->is_early)
		return CARRIED_MATCH;
	/* Early demux found it, and another CPU closed it since. */
	if (may_be_released(&datagram->ends, &datagram->sock))
		return CARRIED_MATCH;
	/* /proc/kallsyms hides whose it is. */
	if (!config.sock_efree && listens_for(&datagram->ends, &datagram->sock))
		return CARRIED_UNKNOWN;
	return CARRIED_OTHER;
}

/* Points are given where one of several is looked for. */
static __always_inline void datagram_points(struct datagram_flight *flight)
{
	struct demux_datagram *to = &flight->record;

	if (to->outcome != DEMUX_CONNECTED && to->outcome != DEMUX_UNCONNECTED)
		return;
	/* A connected one may be early demux's, where that is not seen. */
	if (to->have & DEMUX_HAVE_VIA ? to->via != DEMUX_LOOKUP :
					to->outcome == DEMUX_CONNECTED)
		return;
	if (has_hash_of_connected() && to->sock.ends.rport &&
	    !is_any(to->sock.ends.laddr))
		return;
	to->score = datagram_score(flight->family, to->sock.ends.family,
				   to->score_parts);
	to->have |= DEMUX_HAVE_SCORE;
}

/* As flight_dropped(). */
static __always_inline void datagram_dropped(struct datagram_flight *flight,
					     __u32 reason)
{
	if (config.drop_args < 3)
		return;
	flight->record.drop_reason = reason;
	flight->record.have |= DEMUX_HAVE_DROP;
}

/* The last receiver's copy, or the datagram that nobody got, of the flight at
 * @place. */
__noinline int datagram_tell(__u32 place)
{
	struct cell *cell = this_cell();
	struct datagram_flight *flight = datagram_flight_at(cell, place);
	struct demux_datagram *to;

	if (!flight)
		return 0;
	to = &flight->record;
	if (is_by_owner() && !flight->owned)
		return 0;
	to->segs_lost = flight->lost;
	if (flight->lost && flight->lost < to->segs) {
		flight->met &= ~(DATAGRAM_DENIED | DATAGRAM_BAD_CSUM);
		to->notes &= ~DEMUX_NOTE_DROPPED;
	}
	to->outcome =
		classify_datagram(flight->met, flight->is_group, &to->sock);
	if (to->outcome)
		to->have |= DEMUX_HAVE_OUTCOME;
	to->via = classify_datagram_via(to->outcome, datagram_carried(flight));
	if (to->via)
		to->have |= DEMUX_HAVE_VIA;
	if (flight->met & DATAGRAM_BAD_CSUM)
		to->notes |= DEMUX_NOTE_BAD_CHECKSUM;
	if (flight->is_group)
		to->notes |= DEMUX_NOTE_GROUP;
	datagram_points(flight);
	to->copy = flight->told++;
	if (bpf_ringbuf_output(&ring, to, sizeof(*to), wake_flag(cell)))
		count_softirq(&cell->datagrams.lost);
	else
		count_softirq(&cell->datagrams.emitted);
	return 0;
}

static __always_inline void datagram_finish(struct cell *cell,
					    struct datagram_flight *flight)
{
	if (!flight->unwanted) {
		datagram_tell(flight->place);
		if (flight->told)
			count_softirq(&cell->datagrams.told);
		else
			count_softirq(&cell->datagrams.filtered);
	}
	datagram_close(cell, flight);
}

/* What the record has of the arrival, and not of a receiver. */
#define HAVE_ARRIVAL                                            \
	(DEMUX_HAVE_ADDRS | DEMUX_HAVE_PORTS | DEMUX_HAVE_LEN | \
	 DEMUX_HAVE_NETNS)

/* The device rule: what a socket that is bound to one is judged by. Of IPv4 to
 * many, the kernel does not ask the route. */
static __always_inline void datagram_device(struct datagram_flight *flight,
					    __u64 skb)
{
	struct demux_datagram *to = &flight->record;

	to->sdif = read_sdif(skb, flight->family);
	to->have |= DEMUX_HAVE_SDIF;
	if (flight->family == 4 && !flight->is_group)
		to->ifindex = read_route_iif(skb, to->ifindex);
}

/* Can the lookup give its socket for this datagram? */
static __always_inline bool datagram_fits(const struct demux_datagram *to)
{
	__u32 device = to->sock.ifindex;

	return listens_for(&to->ends, &to->sock) &&
	       (!device || device == to->ifindex || device == to->sdif) &&
	       to->sock.netns == to->netns;
}

/* Its socket is not the tables': has @net, where it came in, a program that may choose
 * one? */
static __always_inline void datagram_sk_lookup(struct demux_datagram *to,
					       struct net *net)
{
	bool several;

	to->sk_lookup = read_sk_lookup(net, &several);
	if (!to->sk_lookup)
		return;
	to->have |= DEMUX_HAVE_CHOOSER;
	to->notes |= DEMUX_NOTE_SK_LOOKUP;
	if (several)
		to->notes |= DEMUX_NOTE_CHOOSERS;
}

/* @sk gets the datagram, or a copy of it. */
static __always_inline void datagram_receiver(struct cell *cell,
					      struct datagram_flight *flight,
					      struct sock *sk, __u64 skb)
{
	struct demux_datagram *to = &flight->record;

	if (flight->met & DATAGRAM_SOCKET)
		datagram_tell(flight->place);
	flight->met = DATAGRAM_SOCKET;
	flight->lost = 0;
	flight->copy = skb;
	flight->owned = !is_by_owner() || is_wanted_sock(sk);
	to->have = (to->have & HAVE_ARRIVAL) | DEMUX_HAVE_SOCK;
	to->notes = is_encap(sk) ? DEMUX_NOTE_ENCAP : 0;
	to->predicted = 0;
	read_udp_sock(&to->sock, sk);
	if (to->sock.ifindex)
		datagram_device(flight, skb);
	to->score_parts = datagram_score_parts(flight->family, &to->sock,
					       prefers_this_cpu(sk));
	read_group(to, sk);
	if (!flight->is_group && to->sock.ends.lport && !datagram_fits(to))
		datagram_sk_lookup(to, arrival_net(skb));
}

#endif
