/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - the only reader of kernel structs. What comes out is in the wire
 * format's shapes and byte order, whatever the kernel's own are.
 *
 * Pointers that a hook got as its arguments may be followed directly: the
 * verifier knows their types. What lies behind skb->head has no type and is
 * copied with bpf_probe_read_kernel(). A kprobe's arguments have no types at
 * all: kprobe.bpf.c defines DEMUX_UNTYPED, and then everything is copied.
 */
#ifndef DEMUX_KERNEL_H
#define DEMUX_KERNEL_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.h"
#include "event.h"
#include "tcp_states.h"

#define AF_INET       2
#define AF_INET6      10
#define IPPROTO_TCP   6
#define IPPROTO_UDP   17
#define IPPROTO_MPTCP 262
#define SOCK_STREAM   1
#define SOCK_DGRAM    2
#define PACKET_HOST   0
#define S_IFMT        0170000
#define S_IFSOCK      0140000

enum { /* tcp_tw_status, include/net/tcp.h; the others are answered by an ACK */
	TCP_TW_SUCCESS = 0,
	TCP_TW_RST = 1,
};

#define TCP_SYNACK_COOKIE 2 /* enum tcp_synack_type, include/net/tcp.h */

extern const volatile struct demux_config config;

/*
 * A pointer that the verifier watches becomes a plain number: it allows no
 * arithmetic on the one, but takes what a byte swap leaves for the other; two
 * give it back.
 */
static __always_inline __u64 address_of(const volatile void *pointer)
{
	__u64 number = (__u64)pointer;

	asm("%0 = be64 %0\n"
	    "%0 = be64 %0"
	    : "+r"(number));
	return number;
}

/* The id of the socket at @sk. */
static __always_inline __u64 sock_id(const volatile void *sk)
{
	__u64 number = address_of(sk);

	return number ? (number ^ config.id_xor) * config.id_mul : 0;
}

/* GET(p, a, b.c) is p->a->b.c */
#ifdef DEMUX_UNTYPED
#define GET(...)           BPF_CORE_READ(__VA_ARGS__)
#define GET_BITS(p, bits)  BPF_CORE_READ_BITFIELD_PROBED(p, bits)
#define read_sock(to, skc) read_sock_at(to, (__u64)(skc))
#else
#define GET_2(p, a)                 ((p)->a)
#define GET_3(p, a, b)              ((p)->a->b)
#define GET_4(p, a, b, c)           ((p)->a->b->c)
#define GET_(p, a, b, c, name, ...) name
#define GET(...)                    GET_(__VA_ARGS__, GET_4, GET_3, GET_2)(__VA_ARGS__)
#define GET_BITS(p, bits)           BPF_CORE_READ_BITFIELD(p, bits)
#define read_sock(to, skc)          read_sock_typed(to, skc)
#endif

/* --- sockets ------------------------------------------------------------ */

/* All but id and netns; @skc is a typed pointer or a copy on the stack. */
static __always_inline void read_sock_members(struct demux_sock *to,
					      struct sock_common *skc)
{
	__u32 *laddr = (__u32 *)to->ends.laddr;
	__u32 *raddr = (__u32 *)to->ends.raddr;

	if (skc->skc_family == AF_INET6) {
		to->ends.family = 6;
		for (int i = 0; i < 4; i++) {
			laddr[i] = skc->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			raddr[i] = skc->skc_v6_daddr.in6_u.u6_addr32[i];
		}
	} else {
		to->ends.family = 4;
		laddr[0] = skc->skc_rcv_saddr;
		raddr[0] = skc->skc_daddr;
		laddr[1] = laddr[2] = laddr[3] = 0;
		raddr[1] = raddr[2] = raddr[3] = 0;
	}
	to->ends.lport = skc->skc_num;
	to->ends.rport = bpf_ntohs(skc->skc_dport);
	to->ifindex = skc->skc_bound_dev_if;
	to->state = skc->skc_state;
	to->flags = 0;
	to->substate = 0;
	if (to->state == TCP_LISTEN || to->state == TCP_CLOSE) {
		if (BPF_CORE_READ_BITFIELD(skc, skc_ipv6only))
			to->flags |= DEMUX_SOCK_V6ONLY;
		if (BPF_CORE_READ_BITFIELD(skc, skc_reuseport))
			to->flags |= DEMUX_SOCK_REUSEPORT;
	}
}

/* @to has been read of @sk, but for what minisocks have behind struct sock_common. */
static __always_inline void read_substate(struct demux_sock *to, void *sk)
{
	if (to->state == TCP_TIME_WAIT)
		to->substate = BPF_CORE_READ((struct inet_timewait_sock *)sk,
					     tw_substate);
}

static __always_inline void read_sock_typed(struct demux_sock *to,
					    struct sock_common *skc)
{
	to->id = sock_id(skc);
	to->netns = skc->skc_net.net->ns.inum;
	read_sock_members(to, skc);
	read_substate(to, skc);
}

/* struct sock_common has 136 bytes in all kernels seen; what is read of it lies
 * in the first 120 or so. */
#define SOCK_COPY 136

#ifdef DEMUX_UNTYPED
/* The same of an address that the verifier knows no type of. A function of its
 * own, for what it needs of the stack. */
static __noinline void read_sock_at(struct demux_sock *to, __u64 sk)
{
	__u64 words[SOCK_COPY / 8] = {};
	struct sock_common *skc = (void *)words;

	bpf_probe_read_kernel(words, sizeof(words), (void *)sk);
	to->id = sock_id((void *)sk);
	to->netns =
		BPF_CORE_READ((struct sock_common *)sk, skc_net.net, ns.inum);
	read_sock_members(to, skc);
	read_substate(to, (void *)sk);
}
#endif

/* The local port, also of a socket that has given it back: skc_num is 0 then,
 * but inet_sport, which lies outside the type the verifier knows, has it. */
static __always_inline __u16 read_lport(struct sock *sk)
{
	__u32 num = GET(sk, __sk_common.skc_num);
	__be16 port = 0;

	if (num)
		return num;
	bpf_core_read(&port, sizeof(port),
		      &((struct inet_sock *)sk)->inet_sport);
	num = bpf_ntohs(port);
	/* The verifier takes what a byte swap leaves for any number; clang, who
	 * knows better, would leave out the bound. */
	asm volatile("" : "+r"(num));
	return num & 0xffff;
}

static __always_inline __u64 read_inode(struct socket *socket)
{
	unsigned long inode = 0;

	bpf_core_read(&inode, sizeof(inode),
		      &((struct socket_alloc *)socket)->vfs_inode.i_ino);
	return inode;
}

/* How many requests the listener at @sk has. */
static __always_inline int read_requests(struct sock *sk)
{
	return BPF_CORE_READ((struct inet_connection_sock *)sk,
			     icsk_accept_queue.qlen.counter);
}

/* Has a process the full socket at @sk just now? */
static __always_inline bool is_owned(__u64 sk)
{
	return BPF_CORE_READ((struct sock *)sk, sk_lock.owned);
}

static __always_inline bool is_closed(__u64 sk)
{
	return BPF_CORE_READ((struct sock *)sk, __sk_common.skc_state) ==
	       TCP_CLOSE;
}

/* May the listener at @sk take over the requests of others? Those of its group
 * that have closed stay known to it while they have any, since 5.14, 333bb73f620e
 * ("tcp: Keep TCP_CLOSE sockets in the reuseport group."). */
static __always_inline bool may_inherit_requests(struct sock *sk)
{
	struct sock_reuseport *group = BPF_CORE_READ(sk, sk_reuseport_cb);

	return group && bpf_core_field_exists(group->num_closed_socks) &&
	       BPF_CORE_READ(group, num_closed_socks);
}

/* Has the request at @req left the lookup table? */
static __always_inline bool is_request_gone(__u64 req)
{
	return !BPF_CORE_READ((struct request_sock *)req,
			      __req_common.skc_nulls_node.pprev);
}

/* The sequence number of the SYN that made the request at @req. */
static __always_inline __u32 read_request_isn(__u64 req)
{
	return BPF_CORE_READ((struct tcp_request_sock *)req, rcv_isn);
}

/* 0 until somebody has asked for it. */
static __always_inline __u64 read_cookie(struct sock *sk)
{
	return GET(sk, __sk_common.skc_cookie.counter);
}

#define CGROUP_LEVELS 16

/*
 * Does the socket at @sk belong to the cgroup of that id, or to one below it?
 * Only full sockets have one. Up to 5.14 it shared its place with net_cls's
 * class, and an odd value was the latter: 8520e224f547 ("bpf, cgroups: Fix
 * cgroup v2 fallback on v1/v2 mixed mode").
 */
static __always_inline bool is_in_cgroup(__u64 sk, __u64 id)
{
	struct sock *full = (struct sock *)sk;
	struct sock___shared_cgroup *shared = (void *)sk;
	__u8 state = BPF_CORE_READ(full, __sk_common.skc_state);
	struct cgroup *cgroup;

	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return false;
	if (bpf_core_field_exists(shared->sk_cgrp_data.val)) {
		cgroup = (void *)BPF_CORE_READ(shared, sk_cgrp_data.val);
		if ((__u64)cgroup & 1)
			return false;
	} else {
		cgroup = BPF_CORE_READ(full, sk_cgrp_data.cgroup);
	}
	for (int i = 0; cgroup && i < CGROUP_LEVELS; i++) {
		if (BPF_CORE_READ(cgroup, kn, id) == id)
			return true;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return false;
}

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = GET(sk, __sk_common.skc_family);

	/* A raw socket may have TCP's number too. */
	return GET(sk, sk_protocol) == IPPROTO_TCP &&
	       GET(sk, sk_type) == SOCK_STREAM &&
	       (family == AF_INET || family == AF_INET6);
}

static __always_inline bool is_udp(struct sock *sk)
{
	__u16 family = GET(sk, __sk_common.skc_family);

	return GET(sk, sk_protocol) == IPPROTO_UDP &&
	       GET(sk, sk_type) == SOCK_DGRAM &&
	       (family == AF_INET || family == AF_INET6);
}

/* Is it a subflow of an MPTCP socket? */
static __always_inline bool is_subflow(struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;

	return bpf_core_field_exists(tp->is_mptcp) && is_tcp(sk) &&
	       BPF_CORE_READ(tp, is_mptcp);
}

/* --- groups ------------------------------------------------------------ */

/* How reuseport_select_sock() chooses. */
static __always_inline __u8 read_group_by(__u64 group, __u64 sk)
{
	struct sock_reuseport *of = (struct sock_reuseport *)group;
	int cpu = BPF_CORE_READ((struct sock_common *)sk, skc_incoming_cpu);

	if (BPF_CORE_READ(of, prog))
		return DEMUX_GROUP_BY_BPF;
	/* Since 6.2, b261eda84ec1 ("soreuseport: Fix socket selection for
	 * SO_INCOMING_CPU."), and in stable trees. */
	if (bpf_core_field_exists(of->incoming_cpu) &&
	    BPF_CORE_READ(of, incoming_cpu) &&
	    cpu == (int)bpf_get_smp_processor_id())
		return DEMUX_GROUP_BY_CPU;
	return DEMUX_GROUP_BY_HASH;
}

/* 1: the group of the socket at @sk has a program that may choose none, as only
 * those can that bpf(2) loads for it; else 0. There is no branch in it: the
 * verifier of 5.10 would follow each through the loop that it stands in. What a
 * NULL pointer would have is read as 0. */
static __always_inline __u32 may_group_refuse(__u64 sk)
{
	__u32 type =
		BPF_CORE_READ((struct sock *)sk, sk_reuseport_cb, prog, type);

	return ((type ^ BPF_PROG_TYPE_SK_REUSEPORT) - 1) >> 31;
}

#define GROUP_MAX 128 /* a place in a larger group is not told */

/* The place of the socket at @sk in its group of @size, -1 if it is not found. */
static __always_inline int read_group_index(__u64 group, __u64 sk, __u32 size)
{
	__u64 place =
		group + bpf_core_field_offset(struct sock_reuseport, socks);

	for (int i = 0; i < GROUP_MAX && i < (int)size; i++) {
		__u64 member = 0;

		bpf_probe_read_kernel(&member, sizeof(member), (void *)place);
		if (member == sk)
			return i;
		place += sizeof(member);
	}
	return -1;
}

#endif
