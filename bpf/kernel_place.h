/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_place.h - the part of kernel.h, the only reader of kernel structs, on
 * what decides a lookup beside the ends: the device, and a program on sk_lookup.
 */
#ifndef DEMUX_KERNEL_PLACE_H
#define DEMUX_KERNEL_PLACE_H

#include "kernel_skb.h"

#define IPSKB_L3SLAVE       128 /* include/net/ip.h */
#define IP6SKB_L3SLAVE      64 /* include/linux/ipv6.h */
#define NETNS_BPF_SK_LOOKUP 1 /* include/linux/bpf-netns.h */
#define RTN_LOCAL           2 /* include/uapi/linux/rtnetlink.h */
#define RTF_LOCAL           0x80000000 /* include/uapi/linux/ipv6_route.h */
#define LOOPBACK_IFINDEX    1 /* include/net/flow.h; in each network namespace */

/*
 * The device that TCP takes a segment to have come in by. Of one that this host
 * sent to itself, it is not loopback: IPv6 keeps it beside the header, IPv4 in
 * the route, where it differs for senders that are bound to a device.
 */
static __always_inline __u32 read_iif_of(struct sk_buff *skb, __u8 family,
					 struct inet6_skb_parm *parm)
{
	int kept = 0, iif = GET(skb, skb_iif);
	__u16 flags = 0;

	if (family == 4)
		return iif;
	bpf_core_read(&kept, sizeof(kept), &parm->iif);
	bpf_core_read(&flags, sizeof(flags), &parm->flags);
	/* Loaded here, or clang loads either one through one pointer, which
	 * the verifier refuses. */
	asm volatile("" : "+r"(kept));
	return flags & IP6SKB_L3SLAVE ? iif : kept;
}

static __always_inline __u32 read_iif(struct sk_buff *skb, __u8 family)
{
	return read_iif_of(skb, family, (struct inet6_skb_parm *)skb->cb);
}

/* Has TCP put its own notes where IP had its? Then the segment's sequence
 * number, @seq, is the first of these. IP has a device there, which may have the
 * same number, and then 0 but for source routing. */
static __always_inline bool has_tcp_notes(const struct tcp_skb_cb *notes,
					  __u32 seq)
{
	__u32 noted = 0, end = 0;

	bpf_core_read(&noted, sizeof(noted), &notes->seq);
	bpf_core_read(&end, sizeof(end), &notes->end_seq);
	return noted == seq && end;
}

static __always_inline __u32 read_iif_late(struct sk_buff *skb, __u8 family,
					   __u32 seq)
{
	struct tcp_skb_cb *notes = (struct tcp_skb_cb *)skb->cb;

	if (has_tcp_notes(notes, seq))
		return read_iif_of(skb, family, &notes->header.h6);
	return read_iif(skb, family);
}

/* The member of a VRF that a packet came in by, whose notes of IP are at @at; 0
 * for none. */
static __always_inline __u32 read_sdif_at(__u64 at, __u8 family)
{
	__u16 flags = 0;
	int iif = 0;

	if (family == 4) {
		bpf_core_read(&iif, sizeof(iif),
			      &((struct inet_skb_parm *)at)->iif);
		bpf_core_read(&flags, sizeof(flags),
			      &((struct inet_skb_parm *)at)->flags);
		return flags & IPSKB_L3SLAVE ? iif : 0;
	}
	bpf_core_read(&iif, sizeof(iif), &((struct inet6_skb_parm *)at)->iif);
	bpf_core_read(&flags, sizeof(flags),
		      &((struct inet6_skb_parm *)at)->flags);
	return flags & IP6SKB_L3SLAVE ? iif : 0;
}

/* UDP leaves IP's notes where they were. */
static __always_inline __u32 read_sdif(__u64 skb, __u8 family)
{
	return read_sdif_at(skb + bpf_core_field_offset(struct sk_buff, cb),
			    family);
}

/* The same of a segment, whose notes TCP may have moved. */
static __always_inline __u32 read_tcp_sdif(__u64 skb, __u8 family, __u32 seq)
{
	__u64 cb = skb + bpf_core_field_offset(struct sk_buff, cb);
	struct tcp_skb_cb *notes = (struct tcp_skb_cb *)cb;

	return read_sdif_at(
		has_tcp_notes(notes, seq) ? (__u64)&notes->header : cb, family);
}

/* The route of the packet at @skb, which of IPv6 is a struct rt6_info, or NULL. */
static __always_inline struct rtable *route_of(__u64 skb)
{
	unsigned long dst = 0;

	bpf_core_read(&dst, sizeof(dst), &((struct sk_buff *)skb)->_skb_refdst);
	return (struct rtable *)(dst & ~1ul); /* SKB_DST_NOREF */
}

/* inet_iif(); asked only where a bound socket makes it matter. */
static __always_inline __u32 read_route_iif(__u64 skb, __u32 skb_iif)
{
	struct rtable *route = route_of(skb);
	int iif = 0;

	if (route)
		bpf_core_read(&iif, sizeof(iif), &route->rt_iif);
	return iif ?: (int)skb_iif;
}

/* Did the packet come to an address of this host alone, and not to one of many? */
static __always_inline bool is_to_own_address(__u64 skb, __u8 family)
{
	struct rtable *route = route_of(skb);
	__u32 flags = 0;
	__u16 type = 0;

	if (family == 4) {
		bpf_core_read(&type, sizeof(type), &route->rt_type);
		return type == RTN_LOCAL;
	}
	bpf_core_read(&flags, sizeof(flags),
		      &((struct rt6_info *)route)->rt6i_flags);
	return flags & RTF_LOCAL;
}

/* The network namespace that the packet at @skb came in by; from a program on
 * sk_lookup, who gets it may have another one. */
static __always_inline struct net *arrival_net(__u64 skb)
{
	return GET((struct sk_buff *)skb, dev, nd_net.net);
}

static __always_inline __u32 arrival_netns(__u64 skb)
{
	return GET((struct sk_buff *)skb, dev, nd_net.net, ns.inum);
}

/* The id of the first of @net's sk_lookup programs, 0: none; are there @several? All
 * are asked then, and the last one that chooses has the word. They may change
 * meanwhile, so the list is asked for once. */
static __always_inline __u32 read_sk_lookup(struct net *net, bool *several)
{
	struct bpf_prog_array *programs;
	__u32 id;

	*several = false;
	if (!bpf_core_field_exists(net->bpf))
		return 0;
	programs = BPF_CORE_READ(net, bpf.run_array[NETNS_BPF_SK_LOOKUP]);
	if (!programs)
		return 0;
	id = BPF_CORE_READ(programs, items[0].prog, aux, id);
	*several = id && BPF_CORE_READ(programs, items[1].prog);
	return id;
}

#endif
