/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listeners.h - the listeners that could have taken a segment, in the order and
 * with the scores of the kernel's lookup, and the reuseport group of one of them.
 */
#ifndef DEMUX_LISTENERS_H
#define DEMUX_LISTENERS_H

#include "kernel.h"
#include "maps.h"
#include "tables.h"

/* A bucket of more listeners is not told; without --detail, where nobody's
 * segments alone are asked about, no loop is to cost much at the start. */
#define BUCKET_MAX (config.detail ? 64 : 16)

#define LISTENING_NULLS_BASE (1u << 29) /* include/net/inet_hashtables.h */

static __always_inline bool has_any_device(__u64 net)
{
	struct net *of = (struct net *)net;

	/* A kernel without VRFs makes no difference. */
	return !bpf_core_field_exists(of->ipv4.sysctl_tcp_l3mdev_accept) ||
	       BPF_CORE_READ(of, ipv4.sysctl_tcp_l3mdev_accept);
}

/* --- the bucket -------------------------------------------------------------- */

#define ROL(word, by) ((word) << (by) | (word) >> (32 - (by)))

static __always_inline void jhash_mix(__u32 *a, __u32 *b, __u32 *c)
{
	*a = (*a - *c) ^ ROL(*c, 4), *c += *b;
	*b = (*b - *a) ^ ROL(*a, 6), *a += *c;
	*c = (*c - *b) ^ ROL(*b, 8), *b += *a;
	*a = (*a - *c) ^ ROL(*c, 16), *c += *b;
	*b = (*b - *a) ^ ROL(*a, 19), *a += *c;
	*c = (*c - *b) ^ ROL(*b, 4), *b += *a;
}

static __always_inline __u32 jhash_final(__u32 a, __u32 b, __u32 c)
{
	c = (c ^ b) - ROL(b, 14);
	a = (a ^ c) - ROL(c, 11);
	b = (b ^ a) - ROL(a, 25);
	c = (c ^ b) - ROL(b, 16);
	a = (a ^ c) - ROL(c, 4);
	b = (b ^ a) - ROL(a, 14);
	return (c ^ b) - ROL(b, 24);
}

/* ipv4_portaddr_hash() or ipv6_portaddr_hash(): any address, of either family,
 * is one word, 0. */
static __always_inline __u32 hash_listener(const struct listen_query *ask)
{
	bool words = ask->family == 6 && !is_any((const __u8 *)ask->addr);
	struct net *net = (struct net *)ask->net;
	__u32 mix = BPF_CORE_READ(net, hash_mix);
	__u32 a, b, c;

	a = b = c = 0xdeadbeef + (words ? 4 << 2 : 1 << 2) + mix;
	a += ask->addr[0];
	if (words) {
		b += ask->addr[1];
		c += ask->addr[2];
		jhash_mix(&a, &b, &c);
		a += ask->addr[3];
	}
	return jhash_final(a, b, c) ^ ask->port;
}

/* --- one listener ------------------------------------------------------------ */

/* Does compute_score() let @sock, a copy, have the segment? */
static __always_inline bool is_candidate(const struct listen_query *ask,
					 struct sock_common *sock)
{
	const __u32 *addr = sock->skc_v6_rcv_saddr.in6_u.u6_addr32;
	__u32 bound = sock->skc_bound_dev_if;

	if (sock->skc_state != TCP_LISTEN || sock->skc_num != ask->port ||
	    (__u64)sock->skc_net.net != ask->net)
		return false;
	if (ask->family == 4) {
		if (sock->skc_rcv_saddr != ask->addr[0] ||
		    (sock->skc_family == AF_INET6 &&
		     BPF_CORE_READ_BITFIELD(sock, skc_ipv6only)))
			return false;
	} else if (sock->skc_family != AF_INET6 || addr[0] != ask->addr[0] ||
		   addr[1] != ask->addr[1] || addr[2] != ask->addr[2] ||
		   addr[3] != ask->addr[3]) {
		return false;
	}
	if (!bound)
		return !ask->sdif || ask->any_device;
	return bound == ask->dif || bound == ask->sdif;
}

/* Scored as compute_score() does it. */
static __always_inline void read_score(struct demux_candidate *to,
				       const struct listen_query *ask,
				       struct sock_common *sock, __u64 sk)
{
	int cpu = BPF_CORE_READ((struct sock_common *)sk, skc_incoming_cpu);
	__u64 group = (__u64)BPF_CORE_READ((struct sock *)sk, sk_reuseport_cb);

	to->id = sock_id((void *)sk);
	to->ifindex = sock->skc_bound_dev_if;
	to->score = to->ifindex ? 2 : 1;
	to->flags = to->ifindex ? DEMUX_CANDIDATE_DEVICE : 0;
	if (!is_any((const __u8 *)ask->addr))
		to->flags |= DEMUX_CANDIDATE_ADDRESS;
	if (ask->family == 4 && sock->skc_family == AF_INET) {
		to->flags |= DEMUX_CANDIDATE_FAMILY;
		to->score++;
	}
	if (cpu == (int)bpf_get_smp_processor_id()) {
		to->flags |= DEMUX_CANDIDATE_CPU;
		to->score++;
	}
	/* One that got the option after listen() has no group, and no group is
	 * asked where it has taken the option back. */
	if (group && BPF_CORE_READ_BITFIELD(sock, skc_reuseport))
		to->flags |= DEMUX_CANDIDATE_REUSEPORT;
	/* inet_hash2(), since 5.19 __inet_hash(): IPv6 ones that have the option
	 * when they begin to listen, which makes a group, go to the end. */
	if (group && sock->skc_family == AF_INET6)
		to->flags |= DEMUX_CANDIDATE_LAST;
}

static __always_inline bool has_old_lists(void)
{
	struct inet_connection_sock *old = 0;

	return bpf_core_field_exists(old->icsk_listen_portaddr_node);
}

/* Before 5.19 these lists were linked elsewhere, and ended with NULL:
 * cae3873c5b3a ("net: inet: Retire port only listening_hash"). */
static __always_inline __u64 listener_of(__u64 node)
{
	if (has_old_lists())
		return node - bpf_core_field_offset(struct inet_connection_sock,
						    icsk_listen_portaddr_node);
	return node - bpf_core_field_offset(struct sock_common, skc_nulls_node);
}

/* Adds the candidates of the bucket that @ask->addr and its port belong to.
 * Returns false if it was not read to its end. */
static __noinline bool read_bucket(struct demux_why *why,
				   struct listen_query *ask)
{
	struct sock_common *sock = (struct sock_common *)ask->sock;
	struct inet_hashinfo *tables = tables_of(ask->net);
	__u32 slot = hash_listener(ask) & BPF_CORE_READ(tables, lhash2_mask);
	__u64 node = (__u64)BPF_CORE_READ(tables, lhash2) +
		     slot * bpf_core_type_size(struct inet_listen_hashbucket);

	node = (__u64)BPF_CORE_READ((struct inet_listen_hashbucket *)node,
				    nulls_head.first);
	for (int i = 0; i <= BUCKET_MAX; i++) {
		if (!node || node & 1)
			return node ? node >> 1 == slot + LISTENING_NULLS_BASE :
				      has_old_lists();
		if (bpf_probe_read_kernel(ask->sock, sizeof(ask->sock),
					  (void *)listener_of(node)))
			return false;
		if (is_candidate(ask, sock)) {
			__u32 n = why->candidates;

			if (config.detail && n < DEMUX_CANDIDATES)
				read_score(&why->candidate[n], ask, sock,
					   listener_of(node));
			why->candidates = n + 1;
			ask->may_refuse |= may_group_refuse(listener_of(node));
		}
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return false;
	}
	return false;
}

/* --- reuseport groups ------------------------------------------------------- */

/* The group of the socket at @sk, if it is in one. */
static __always_inline void read_listener_group(struct demux_why *why, __u64 sk)
{
	__u64 group = (__u64)BPF_CORE_READ((struct sock *)sk, sk_reuseport_cb);
	int index;

	if (!group)
		return;
	why->group_size =
		BPF_CORE_READ((struct sock_reuseport *)group, num_socks);
	why->have |= DEMUX_WHY_GROUP;
	/* Without the option it may have been found, or chosen by its group when
	 * another member was. */
	if (!BPF_CORE_READ_BITFIELD_PROBED((struct sock_common *)sk,
					   skc_reuseport)) {
		why->have &= ~DEMUX_WHY_GROUP_HASH;
		return;
	}
	index = read_group_index(group, sk, why->group_size);
	if (index < 0)
		return;
	why->group_index = index;
	why->group_by = read_group_by(group, sk);
	why->have |= DEMUX_WHY_GROUP_CHOICE;
}

#endif
