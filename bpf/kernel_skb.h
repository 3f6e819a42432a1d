/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_skb.h - the part of kernel.h, the only reader of kernel structs, that
 * reads what came in.
 */
#ifndef DEMUX_KERNEL_SKB_H
#define DEMUX_KERNEL_SKB_H

#include "kernel.h"

struct tcp_header {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack;
	__u8 offset; /* in words, upper four bits */
	__u8 flags;
	__be16 window;
};

/*
 * The headers lie in the linear part, but for a few drivers' skbs, which
 * tcp_v4_rcv pulls up later. Returns how many bytes of a TCP header @th has:
 * 16, all that is read of one; 4, the ports alone; or 0.
 */
static __always_inline int read_tcp_header(struct sk_buff *skb,
					   struct tcp_header *th)
{
	__u32 linear = GET(skb, len) - GET(skb, data_len);
	const unsigned char *data = GET(skb, data);

	if (linear >= 20)
		return bpf_probe_read_kernel(th, 16, data) ? 0 : 16;
	if (linear >= 4)
		return bpf_probe_read_kernel(th, 4, data) ? 0 : 4;
	return 0;
}

static __always_inline bool read_addrs(struct sk_buff *skb,
				       struct demux_ends *ends)
{
	const unsigned char *ip = GET(skb, head) + GET(skb, network_header);
	__u32 addrs[8] = {};
	__u32 *laddr = (__u32 *)ends->laddr, *raddr = (__u32 *)ends->raddr;

	if (ends->family == 4) {
		if (bpf_probe_read_kernel(addrs, 8, ip + 12))
			return false;
		raddr[0] = addrs[0];
		laddr[0] = addrs[1];
		laddr[1] = laddr[2] = laddr[3] = 0;
		raddr[1] = raddr[2] = raddr[3] = 0;
		return true;
	}
	if (bpf_probe_read_kernel(addrs, 32, ip + 8))
		return false;
	__builtin_memcpy(raddr, addrs, 16);
	__builtin_memcpy(laddr, addrs + 4, 16);
	return true;
}

/* skb_shared_info lies at the end of the linear part; 0 segments means 1. */
static __always_inline __u16 read_segs(struct sk_buff *skb)
{
	struct skb_shared_info *info = (void *)(GET(skb, head) + GET(skb, end));
	__u16 segs = 0;

	bpf_core_read(&segs, sizeof(segs), &info->gso_segs);
	return segs ?: 1;
}

/* Was the checksum of what is dropped computed, and found wrong? @named is the
 * reason that says so, 0 where this kernel has none. */
static __always_inline bool has_bad_checksum(struct sk_buff *skb, __u32 reason,
					     __u32 named)
{
	return (GET_BITS(skb, csum_complete_sw) &&
		!GET_BITS(skb, csum_valid)) ||
	       (named && reason == named);
}

#endif
