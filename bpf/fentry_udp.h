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

SEC("fentry/udp_queue_rcv_skb")
int BPF_PROG(on_copy4, struct sock *sk, struct sk_buff *skb)
{
	datagram_copy(sk, skb);
	return 0;
}

SEC("fentry/udpv6_queue_rcv_skb")
int BPF_PROG(on_copy6, struct sock *sk, struct sk_buff *skb)
{
	datagram_copy(sk, skb);
	return 0;
}

SEC("fexit/sk_filter_trim_cap")
int BPF_PROG(on_datagram_filter, struct sock *sk)
{
	datagram_filter(sk, (__u32)load_slot(ctx, config.filter_args));
	return 0;
}

SEC("fentry/__icmp_send")
int BPF_PROG(on_unreachable4, struct sk_buff *skb, int type, int code)
{
	if (type == ICMP_DEST_UNREACH && code == ICMP_PORT_UNREACH)
		datagram_unreachable(skb);
	return 0;
}

SEC("fentry/icmp6_send")
int BPF_PROG(on_unreachable6, struct sk_buff *skb, __u8 type, __u8 code)
{
	if (type == ICMPV6_DEST_UNREACH && code == ICMPV6_PORT_UNREACH)
		datagram_unreachable(skb);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_datagram_drop, struct sk_buff *skb)
{
	datagram_drop(skb, drop_reason(ctx));
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

SEC("fentry/udp_destroy_sock")
int BPF_PROG(on_unbind4, struct sock *sk)
{
	sock_unbinds(sk);
	return 0;
}

SEC("fentry/udpv6_destroy_sock")
int BPF_PROG(on_unbind6, struct sock *sk)
{
	sock_unbinds(sk);
	return 0;
}

#endif
