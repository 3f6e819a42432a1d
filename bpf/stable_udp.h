/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stable_udp.h - the programs of the stable backend that are about UDP. They are
 * not loaded where UDP was not asked for; user/backend_datagram.c has the table.
 */
#ifndef DEMUX_STABLE_UDP_H
#define DEMUX_STABLE_UDP_H

#include "args.h"
#include "bind.h"
#include "sight_datagram.h"
#include "syscall.h"

SEC("cgroup_skb/ingress")
int on_datagram(struct __sk_buff *ctx)
{
	sight_datagram(ctx);
	return 1; /* let it pass */
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_datagram_drop, struct sk_buff *skb, void *location)
{
	sight_datagram_drop(skb, (__u64)location, drop_reason(ctx),
			    drop_sock(ctx));
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_datagram_drop_again, struct sk_buff *skb, void *location)
{
	sight_datagram_drop_again(skb, (__u64)location, drop_reason(ctx),
				  drop_sock(ctx));
	return 0;
}

SEC("tp_btf/napi_poll")
int BPF_PROG(on_datagram_poll_done)
{
	sight_datagrams_end();
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(on_datagram_softirq_done)
{
	sight_datagrams_end();
	return 0;
}

SEC("tracepoint")
int on_bind_event(struct syscall_exit *ctx)
{
	struct pt_regs *regs = syscall_regs();

	if (syscall_is_news(regs, ctx->ret, DEMUX_UDP, false))
		sight_binds(regs, ctx->ret);
	return 1; /* let others have the event */
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_bind, struct pt_regs *regs, long ret)
{
	if (syscall_is_news(regs, ret, DEMUX_UDP, true))
		sight_binds(regs, ret);
	return 0;
}

SEC("cgroup/sock_release")
int on_unbind(struct bpf_sock *ctx)
{
	sock_unbinds((struct sock *)address_of(ctx));
	return 1;
}

#endif
