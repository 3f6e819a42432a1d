/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * why.h - why this socket: what the lookup tables have at the moment of the
 * match, and the segment's TCP options. Only for --detail, but that the listeners
 * are asked about what is nobody's; what has loops has one copy in a program, and
 * is called, for the verifier walks them wherever they are put.
 */
#ifndef DEMUX_WHY_H
#define DEMUX_WHY_H

#include "listeners.h"
#include "maps.h"
#include "tables.h"

#define WHY_OF_MATCH (DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN | DEMUX_WHY_POSITION)

/* The flight at @place has met the socket at @skc, and its record knows it. */
__noinline int why_matched(__u32 place, __u64 skc)
{
	struct flight *flight = flight_at(this_cell(), place);
	struct demux_segment *seg;
	struct demux_why *why;
	__u64 net;

	if (!flight)
		return 0;
	seg = &flight->record.more.segment;
	why = &flight->record.why;
	net = (__u64)BPF_CORE_READ((struct sock_common *)skc, skc_net.net);
	why->have &= ~WHY_OF_MATCH;
	read_slot(why, net, skc,
		  seg->sock.state != TCP_LISTEN &&
			  same_ends(&seg->ends, &seg->sock.ends));
	return 0;
}

/* What the listeners will be asked with; the skb may be gone by then. */
static __always_inline void why_query(struct flight *flight, __u64 net)
{
	struct demux_segment *seg = &flight->record.more.segment;
	struct listen_query *ask = &flight->ask;

	ask->net = net;
	ask->port = seg->ends.lport;
	ask->family = seg->ends.family;
	ask->any_device = has_any_device(net);
	ask->may_refuse = 0;
	ask->sdif = seg->sdif;
	ask->dif = seg->ifindex;
}

/* Those with the address come first. */
static __always_inline void why_candidates(struct flight *flight)
{
	struct demux_why *why = &flight->record.why;
	struct demux_segment *seg = &flight->record.more.segment;
	struct listen_query *ask = &flight->ask;

	__builtin_memcpy(ask->addr, seg->ends.laddr, sizeof(ask->addr));
	for (int i = 0; i < 2; i++) {
		if (!read_bucket(why, ask))
			return;
		__builtin_memset(ask->addr, 0, sizeof(ask->addr));
	}
	why->have |= DEMUX_WHY_CANDIDATES;
	if (!why->candidates)
		seg->notes |= DEMUX_NOTE_NONE_LISTENS;
	if (ask->may_refuse)
		seg->notes |= DEMUX_NOTE_MAY_REFUSE;
}

/* Which listeners the lookup could choose from, and the group of the one it did.
 * Asked once: as the flight at @place ends, or before. */
__noinline int why_listeners(__u32 place)
{
	struct flight *flight = flight_at(this_cell(), place);
	struct demux_why *why;

	if (!config.detail || !flight || !flight->ask.net)
		return 0;
	why = &flight->record.why;
	why_candidates(flight);
	flight->ask.net = 0;
	if (flight->listener)
		read_listener_group(why, flight->listener);
	if (!(why->have & DEMUX_WHY_GROUP))
		why->have &= ~DEMUX_WHY_GROUP_HASH;
	return 0;
}

/* Had the table a listener that could have taken what is nobody's? The proof asks,
 * so it is looked also without --detail; with it, why_listeners() does. */
__noinline int why_nobody(__u32 place)
{
	struct flight *flight = flight_at(this_cell(), place);

	if (config.detail || !flight)
		return 0;
	flight->record.why.have = 0;
	flight->record.why.candidates = 0;
	why_candidates(flight);
	return 0;
}

/* A reuseport group is asked for one of its sockets: @hash is that of the
 * segment's two ends. */
static __always_inline void why_group(struct flight *flight, __u32 hash)
{
	flight->record.why.group_hash = hash;
	flight->record.why.have |= DEMUX_WHY_GROUP_HASH;
}

/* The options that follow the header @th, of which @got bytes were there. */
static __always_inline void why_options(struct flight *flight,
					struct sk_buff *skb,
					const struct tcp_header *th, int got)
{
	struct demux_why *why = &flight->record.why;
	__u32 linear = GET(skb, len) - GET(skb, data_len);
	__u32 header = (th->offset >> 4) * 4;
	const unsigned char *data = GET(skb, data);
	__u32 bytes = header - 20;

	if (got < (int)sizeof(*th) || header < 20 || header > linear)
		return;
	/* For the verifier of 5.10, which follows no difference. */
	asm volatile("" : "+r"(bytes));
	if (bytes > DEMUX_OPTIONS ||
	    bpf_probe_read_kernel(why->options, bytes, data + 20))
		return;
	why->option_bytes = bytes;
	why->have |= DEMUX_WHY_OPTIONS;
}

#endif
