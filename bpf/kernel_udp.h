/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_udp.h - the part of kernel.h, the only reader of kernel structs, that
 * UDP alone needs.
 */
#ifndef DEMUX_KERNEL_UDP_H
#define DEMUX_KERNEL_UDP_H

#include "kernel_place.h"

#define IPPROTO_UDPLITE 136

#define RTCF_BROADCAST 0x10000000
#define RTCF_MULTICAST 0x20000000

#define ICMP_DEST_UNREACH   3
#define ICMP_PORT_UNREACH   3
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PORT_UNREACH 4

struct udp_header {
	__be16 source;
	__be16 dest;
	__be16 len; /* with this header */
	__be16 check;
};

static __always_inline void read_udp_sock(struct demux_sock *to,
					  struct sock *sk)
{
	read_sock(to, &sk->__sk_common);
	to->flags |= DEMUX_SOCK_UDP;
}

/* How many bytes of it @uh has: 8, 4 (the ports alone) or 0. The skb's data is
 * the header, or what follows it. */
static __always_inline int read_udp_header(struct sk_buff *skb,
					   struct udp_header *uh)
{
	const unsigned char *at = GET(skb, head) + GET(skb, transport_header);
	long linear = GET(skb, data) - at + GET(skb, len) - GET(skb, data_len);

	if (linear >= 8)
		return bpf_probe_read_kernel(uh, 8, at) ? 0 : 8;
	if (linear >= 4)
		return bpf_probe_read_kernel(uh, 4, at) ? 0 : 4;
	return 0;
}

/* UDP-Lite, which goes through the same functions. */
static __always_inline bool is_udplite(struct sk_buff *skb, __u8 family)
{
	const unsigned char *ip = GET(skb, head) + GET(skb, network_header);
	__u8 proto = 0;

	bpf_probe_read_kernel(&proto, 1, ip + (family == 4 ? 9 : 6));
	return proto == IPPROTO_UDPLITE;
}

/* Was it sent to a multicast or broadcast address? Of IPv4 the route tells. */
static __always_inline bool is_to_group(struct sk_buff *skb,
					const struct demux_ends *ends)
{
	unsigned int flags = 0;
	struct rtable *route;

	if (ends->family == 6)
		return ends->laddr[0] == 0xff;
	route = route_of((__u64)skb);
	if (route)
		bpf_core_read(&flags, sizeof(flags), &route->rt_flags);
	return flags & (RTCF_BROADCAST | RTCF_MULTICAST);
}

/* Does the socket serve an encapsulation, as ESP in UDP or VXLAN does? */
static __always_inline bool is_encap(struct sock *sk)
{
	struct udp_sock *up = (struct udp_sock *)sk;

	return BPF_CORE_READ_BITFIELD_PROBED(up, encap_type);
}

/* Since 6.13, 78c91ae2c6de ("ipv4/udp: Add 4-tuple hash for connected socket"): is
 * a socket that has all four values found by these, and nothing asked about points?
 * The first one in its slot has it. */
static __always_inline bool has_hash_of_connected(void)
{
	struct udp_table *tables = 0;

	return bpf_core_field_exists(tables->hash4);
}

static __always_inline bool prefers_this_cpu(struct sock *sk)
{
	return GET(sk, __sk_common.skc_incoming_cpu) ==
	       (int)bpf_get_smp_processor_id();
}

/* The SO_REUSEPORT group of @sk, and its place there. */
static __always_inline void read_group(struct demux_datagram *to,
				       struct sock *sk)
{
	__u64 group = (__u64)GET(sk, sk_reuseport_cb);
	int index;

	if (!group)
		return;
	to->group_size =
		BPF_CORE_READ((struct sock_reuseport *)group, num_socks);
	to->group_by = read_group_by(group, (__u64)sk);
	to->have |= DEMUX_HAVE_GROUP;
	index = read_group_index(group, (__u64)sk, to->group_size);
	if (index < 0)
		return;
	to->group_index = index;
	to->have |= DEMUX_HAVE_INDEX;
}

#endif
