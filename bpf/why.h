/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * why.h - why this socket: what the lookup tables have at the moment of the
 * match. Only for --detail; each function here has one copy in a program, and
 * is called, for the verifier walks its loops anew wherever it is put.
 */
#ifndef DEMUX_WHY_H
#define DEMUX_WHY_H

#include "maps.h"
#include "tables.h"

#define WHY_OF_MATCH (DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN | DEMUX_WHY_POSITION)

/* @flight has met the socket at @skc, and its record knows it. */
static __noinline void why_matched(struct flight *flight, __u64 skc)
{
	struct demux_segment *seg = &flight->record.more.segment;
	struct demux_why *why = &flight->record.why;
	__u64 net;

	net = (__u64)BPF_CORE_READ((struct sock_common *)skc, skc_net.net);
	why->have &= ~WHY_OF_MATCH;
	read_slot(why, net, skc,
		  seg->sock.state != TCP_LISTEN &&
			  same_ends(&seg->ends, &seg->sock.ends));
}

#endif
