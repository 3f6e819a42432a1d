/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kprobe_udp.h - the programs of the kprobe backend that are about UDP. They are
 * not loaded where UDP was not asked for; user/backend_datagram.c has the table.
 */
#ifndef DEMUX_KPROBE_UDP_H
#define DEMUX_KPROBE_UDP_H

#include "args.h"
#include "bind.h"
#include "datagram.h"

SEC("kprobe")
int BPF_KPROBE(on_datagram4, struct sk_buff *skb)
{
	datagram_enters(skb, 4);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_datagram6, struct sk_buff *skb)
{
	datagram_enters(skb, 6);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_datagram4_done)
{
	datagram_returns();
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_datagram6_done)
{
	datagram_returns();
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_copy4, struct sock *sk, struct sk_buff *skb)
{
	datagram_copy(sk, skb);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_copy6, struct sock *sk, struct sk_buff *skb)
{
	datagram_copy(sk, skb);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_datagram_filter, struct sock *sk)
{
	datagram_filter_begins(sk);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_datagram_filter_done, int verdict)
{
	datagram_filter_ends(verdict);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_unreachable4, struct sk_buff *skb, int type, int code)
{
	if (type == ICMP_DEST_UNREACH && code == ICMP_PORT_UNREACH)
		datagram_unreachable(skb);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_unreachable6, struct sk_buff *skb, __u8 type, __u8 code)
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

/* A kretprobe no longer knows the socket: the entry tells it. */
SEC("kprobe")
int BPF_KPROBE(on_bind_call4, struct sock *sk)
{
	udp_call_begins(sk, 0);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_bind_call6, struct sock *sk)
{
	udp_call_begins(sk, 0);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_bind4, int failed)
{
	udp_call_ends(0, failed);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_bind6, int failed)
{
	udp_call_ends(0, failed);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_connect_call, struct socket *socket)
{
	udp_call_begins(BPF_CORE_READ(socket, sk), CONNECTING);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_connect, int failed)
{
	udp_call_ends(CONNECTING, failed);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_unbind4, struct sock *sk)
{
	sock_unbinds(sk);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_unbind6, struct sock *sk)
{
	sock_unbinds(sk);
	return 0;
}

#endif
