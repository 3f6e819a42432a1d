/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * entries_udp.h - what entries.h has, of the programs that are about UDP. They are
 * not loaded where UDP was not asked for; user/backend_datagram.c has the table.
 */
#ifndef DEMUX_ENTRIES_UDP_H
#define DEMUX_ENTRIES_UDP_H

#include "args.h"
#include "bind.h"
#include "datagram.h"

int ENTRY(on_copy4, udp_queue_rcv_skb, struct sock *sk, struct sk_buff *skb)
{
	datagram_copy(sk, skb);
	return 0;
}

int ENTRY(on_copy6, udpv6_queue_rcv_skb, struct sock *sk, struct sk_buff *skb)
{
	datagram_copy(sk, skb);
	return 0;
}

int ENTRY(on_unreachable4, __icmp_send, struct sk_buff *skb, int type, int code)
{
	if (type == ICMP_DEST_UNREACH && code == ICMP_PORT_UNREACH)
		datagram_unreachable(skb);
	return 0;
}

int ENTRY(on_unreachable6, icmp6_send, struct sk_buff *skb, __u8 type,
	  __u8 code)
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

int ENTRY(on_unbind4, udp_destroy_sock, struct sock *sk)
{
	sock_unbinds(sk);
	return 0;
}

int ENTRY(on_unbind6, udpv6_destroy_sock, struct sock *sk)
{
	sock_unbinds(sk);
	return 0;
}

#endif
