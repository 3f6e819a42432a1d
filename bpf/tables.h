/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tables.h - the kernel's lookup tables of TCP sockets, looked at from outside.
 *
 * Nothing is locked. Of a list that changes meanwhile only what is certain is
 * told: the kernel ends each list with a mark that names it, and asks for that
 * mark itself. All addresses here are plain numbers, and copied from.
 */
#ifndef DEMUX_TABLES_H
#define DEMUX_TABLES_H

#include "kernel.h"

/* More in one chain are not counted. */
#define CHAIN_MAX 128

/* Since 5.19 a part of its own, fbb8295248e1 ("tcp: allocate tcp_death_row
 * outside of struct netns_ipv4"); from 6.1 on in its old place again. */
static __always_inline struct inet_hashinfo *tables_of(__u64 net)
{
	struct net *of = (struct net *)net;
	struct net___apart *apart = (struct net___apart *)net;

	if (bpf_core_field_exists(of->ipv4.tcp_death_row.hashinfo))
		return BPF_CORE_READ(of, ipv4.tcp_death_row.hashinfo);
	return BPF_CORE_READ(apart, ipv4.tcp_death_row, hashinfo);
}

/* Walks the list from @node to the mark of @slot, and looks for @target. */
static __always_inline void read_chain(struct demux_why *why, __u64 node,
				       __u32 slot, __u64 target)
{
	for (__u32 i = 0; i <= CHAIN_MAX; i++) {
		if (node & 1) {
			if (node >> 1 == slot) {
				why->chain_length = i;
				why->have |= DEMUX_WHY_CHAIN;
			} else {
				/* It was led into another list. */
				why->have &= ~DEMUX_WHY_POSITION;
			}
			return;
		}
		if (node == target) {
			why->chain_position = i;
			why->have |= DEMUX_WHY_POSITION;
		}
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return;
	}
}

/*
 * The slot of the established hash where the socket at @skc is, or would be if
 * it were connected as @hashed says. The slot of two ends that no socket has is
 * the kernel's secret, but where there is one slot only it is that one.
 */
static __always_inline void read_slot(struct demux_why *why, __u64 net,
				      __u64 skc, bool hashed)
{
	struct sock_common *of = (struct sock_common *)skc;
	struct inet_hashinfo *tables = tables_of(net);
	__u32 mask = BPF_CORE_READ(tables, ehash_mask);
	__u32 slot = 0;
	__u64 bucket;

	if (!tables || (!hashed && mask))
		return;
	if (hashed)
		slot = BPF_CORE_READ(of, skc_hash) & mask;
	why->hash_slots = mask + 1;
	why->hash_slot = slot;
	why->have |= DEMUX_WHY_SLOT;
	bucket = (__u64)BPF_CORE_READ(tables, ehash) +
		 slot * bpf_core_type_size(struct inet_ehash_bucket);
	read_chain(why,
		   (__u64)BPF_CORE_READ((struct inet_ehash_bucket *)bucket,
					chain.first),
		   slot, hashed ? (__u64)&of->skc_nulls_node : 0);
}

#endif
