/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fentry_udp.h - the programs of the fentry backend that are about UDP. They are
 * not loaded where UDP was not asked for; user/backend_datagram.c has the table.
 */
#ifndef DEMUX_FENTRY_UDP_H
#define DEMUX_FENTRY_UDP_H

#include "args.h"
#include "bind.h"
#include "datagram.h"

SEC("fentry/udp_rcv")
int BPF_PROG(on_datagram4, struct sk_buff *skb)
{
	datagram_begin(skb, 4);
	return 0;
}

SEC("fentry/udpv6_rcv")
int BPF_PROG(on_datagram6, struct sk_buff *skb)
{
	datagram_begin(skb, 6);
	return 0;
}

SEC("fexit/udp_rcv")
int BPF_PROG(on_datagram4_done, struct sk_buff *skb)
{
	datagram_end(skb);
	return 0;
}

SEC("fexit/udpv6_rcv")
int BPF_PROG(on_datagram6_done, struct sk_buff *skb)
{
	datagram_end(skb);
	return 0;
}

SEC("fexit/sk_filter_trim_cap")
int BPF_PROG(on_datagram_filter, struct sock *sk)
{
	datagram_filter(sk, (__u32)load_slot(ctx, config.filter_args));
	return 0;
}

SEC("fexit/udp_v4_get_port")
int BPF_PROG(on_bind4, struct sock *sk, unsigned short port, int failed)
{
	if (!failed)
		sock_binds(sk);
	return 0;
}

SEC("fexit/udp_v6_get_port")
int BPF_PROG(on_bind6, struct sock *sk, unsigned short port, int failed)
{
	if (!failed)
		sock_binds(sk);
	return 0;
}

SEC("fexit/inet_dgram_connect")
int BPF_PROG(on_connect, struct socket *socket, void *addr, int len, int flags,
	     int failed)
{
	if (!failed)
		sock_binds(socket->sk);
	return 0;
}

#endif
