/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sight_ip.h - the IP header of what a cgroup_skb program of the stable backend is
 * shown.
 */
#ifndef DEMUX_SIGHT_IP_H
#define DEMUX_SIGHT_IP_H

#include "kernel.h"

#define ETH_P_IP 0x0800

struct ip_part {
	__u8 family;
	__u32 len; /* of the header, extension headers too */
};

#define EXTENSIONS 8

/* False for an IPv6 header that is not followed to its end. */
static __always_inline bool read_ip6(struct __sk_buff *ctx,
				     struct ip_part *part,
				     struct demux_ends *ends, int proto)
{
	__u8 next = 0, more[2];

	bpf_skb_load_bytes(ctx, 6, &next, 1);
	bpf_skb_load_bytes(ctx, 8, ends->raddr, 16);
	bpf_skb_load_bytes(ctx, 24, ends->laddr, 16);
	part->len = 40;
	for (int i = 0; i < EXTENSIONS && next != proto; i++) {
		if (bpf_skb_load_bytes(ctx, part->len, more, 2))
			return false;
		/* A fragment header, of a whole segment, has 8 bytes. */
		part->len += next == 44 ? 8 : (more[1] + 1) * 8;
		next = more[0];
	}
	return next == proto;
}

static __always_inline bool read_ip(struct __sk_buff *ctx, struct ip_part *part,
				    struct demux_ends *ends, int proto)
{
	__u32 addrs[2] = {};
	__u8 first = 0;

	part->family = ctx->protocol == bpf_htons(ETH_P_IP) ? 4 : 6;
	if (part->family == 6)
		return read_ip6(ctx, part, ends, proto);
	bpf_skb_load_bytes(ctx, 0, &first, 1);
	part->len = (first & 15) * 4;
	if (bpf_skb_load_bytes(ctx, 12, addrs, 8))
		return false;
	__builtin_memset(ends->raddr, 0, 16);
	__builtin_memset(ends->laddr, 0, 16);
	__builtin_memcpy(ends->raddr, &addrs[0], 4);
	__builtin_memcpy(ends->laddr, &addrs[1], 4);
	return true;
}

#endif
