// SPDX-License-Identifier: GPL-2.0-only
/*
 * stable.bpf.c - the stable backend: no probe on any kernel function, for
 * kernels that refuse these. It only watches: every segment passes.
 * user/backend_stable.c has the table of programs, docs/hooks.md what each of
 * them can see.
 */
#define DEMUX_UNTYPED

#include <linux/bpf.h>

#include "vmlinux.h"

#include <bpf/bpf_tracing.h>

#include "args.h"
#include "files.h"
#include "sight_drop.h"
#include "syscall.h"

char LICENSE[] SEC("license") = "GPL";

/* --- segments ----------------------------------------------------------- */

SEC("cgroup_skb/ingress")
int on_match(struct __sk_buff *ctx)
{
	sight_match(ctx);
	return 1; /* let it pass */
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_drop, struct sk_buff *skb, void *location)
{
	sight_drop(skb, (__u64)location, drop_reason(ctx), drop_sock(ctx));
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_drop_again, struct sk_buff *skb, void *location)
{
	sight_drop_again(skb, (__u64)location, drop_reason(ctx),
			 drop_sock(ctx));
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(on_reset, const struct sock *sk, struct sk_buff *skb)
{
	if (skb)
		sight_reset(skb);
	return 0;
}

SEC("tp_btf/napi_poll")
int BPF_PROG(on_poll_done)
{
	sight_round_ends();
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(on_softirq_done)
{
	sight_round_ends();
	return 0;
}

/* --- a socket's life ---------------------------------------------------- */

SEC("tracepoint")
int on_syscall_event(struct syscall_exit *ctx)
{
	struct pt_regs *regs = syscall_regs();

	if (syscall_is_news(regs, ctx->ret, DEMUX_TCP, false))
		syscall_ends(regs, ctx->ret);
	return 1; /* let others have the event: perf trace, perf stat */
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_syscall_done, struct pt_regs *regs, long ret)
{
	if (syscall_is_news(regs, ret, DEMUX_TCP, true))
		syscall_ends(regs, ret);
	return 0;
}

static __always_inline void state_changes(struct sock *sk, int before,
					  int after)
{
	if (before == TCP_SYN_RECV && after == TCP_ESTABLISHED)
		sight_child(sk);
	if (after == TCP_LISTEN)
		call_begins(sk);
	timewait_begins(sk, before, after);
	sock_changes(sk, before, after);
}

#define STATE_CHANGES state_changes
#include "life.h"
#include "stable_udp.h"
