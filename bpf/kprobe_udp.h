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

#endif
