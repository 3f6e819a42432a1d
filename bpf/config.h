/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.h - what user space tells the kernel half before it is loaded.
 *
 * It lies in .rodata, frozen, so the verifier takes every member as a constant
 * and drops the branches that this kernel or this trace does not need.
 */
#ifndef DEMUX_CONFIG_H
#define DEMUX_CONFIG_H

#include <linux/types.h>

enum demux_families {
	DEMUX_IPV4 = 1 << 0,
	DEMUX_IPV6 = 1 << 1,
};

enum demux_protos {
	DEMUX_TCP = 1 << 0,
	DEMUX_UDP = 1 << 1,
};

/* Where a function of the kernel lies, or a part of it. */
struct demux_range {
	__u64 begin, end; /* end is the first byte after it */
};

struct demux_config {
	__u64 id_xor; /* the key that scrambles socket addresses */
	__u64 id_mul; /* odd, so that no two addresses share an id */

	/* What is wanted; 0 is anything. */
	__u64 cgroup; /* id of a cgroup v2 directory: its sockets, and those of
			 the directories below */
	__u32 pid; /* thread group that listens or accepts */
	__u32 netns; /* inode number */
	__u8 families; /* enum demux_families */
	__u8 any_port;
	__u8 follow; /* and the processes that pid starts */
	__u8 remote_family; /* 4 or 6: only this remote network; 0: any */
	__u8 remote_bits; /* length of its prefix */
	__u8 protos; /* enum demux_protos; 0 is TCP alone */
	__u8 detail; /* say why this socket: walks the lookup tables */
	__u8 pad;
	__u16 remote_port; /* 0: any */
	__u8 remote[16]; /* as in struct demux_ends */

	/* What this kernel is like. */
	__u8 rt; /* PREEMPT_RT: other tasks may run inside a flight */
	__u8 has_cookie; /* bpf_get_socket_cookie() in tracing programs */
	__u8 has_graft; /* security_sock_graft is hooked */
	__u8 drop_args; /* arguments of the kfree_skb tracepoint */
	__u8 filter_args; /* of sk_filter_trim_cap */
	__u8 accept_args; /* of inet_csk_accept */
	__u8 listen_args; /* of inet_csk_listen_start */
	__u8 backlog_args; /* of tcp_add_backlog */
	__u8 request_args; /* of tcp_check_req */
	__u8 timewait_args; /* of tcp_timewait_state_process */
	__u8 blind; /* enum demux_blind */
	__u32 refusals[4]; /* SKB_DROP_REASON_SOCKET_FILTER and its like */
	__u32 no_socket; /* SKB_DROP_REASON_NO_SOCKET */
	__u32 not_specified; /* SKB_DROP_REASON_NOT_SPECIFIED */
	__u32 bad_csum; /* SKB_DROP_REASON_TCP_CSUM */
	struct demux_range receivers[4]; /* tcp_v4_rcv, tcp_v6_rcv */
	/* udp_rcv, udpv6_rcv and what they call. */
	struct demux_range datagram_receivers[16], datagram_queuers[2];
	__u32 bad_datagram; /* SKB_DROP_REASON_UDP_CSUM */
	/* Where these functions lie, which tell who put a socket on an skb; 0
	 * where /proc/kallsyms does not show it. */
	__u64 sock_edemux, sock_pfree, sock_efree;
	__u32 wake_bytes; /* wake the reader when so much waits in the ring */
	__u32 cpus; /* that are possible */

	__u8 ports[65536 / 8]; /* local ports wanted, one bit each */
};

#endif
