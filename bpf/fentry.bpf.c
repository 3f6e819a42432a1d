// SPDX-License-Identifier: GPL-2.0-only
/*
 * fentry.bpf.c - the fentry backend: BPF trampolines on the functions of the
 * receive path. Each program is named after what happened and only says which
 * function tells it; user/backend_fentry.c has the table of them.
 */
#include <linux/bpf.h>

#include "vmlinux.h"

#include <bpf/bpf_tracing.h>

#include "accept.h"
#include "args.h"
#include "fate.h"
#include "files.h"
#include "segment.h"
#include "life.h"

#define ENTRY(name, function, args...) \
	SEC("fentry/" #function) BPF_PROG(name, ##args)

#include "entries.h"
#include "entries_udp.h"
#include "fentry_udp.h"

char LICENSE[] SEC("license") = "GPL";

/* --- a segment's way ---------------------------------------------------- */

SEC("fentry/tcp_v4_rcv")
int BPF_PROG(on_segment4, struct sk_buff *skb)
{
	segment_begin(skb, 4);
	return 0;
}

SEC("fentry/tcp_v6_rcv")
int BPF_PROG(on_segment6, struct sk_buff *skb)
{
	segment_begin(skb, 6);
	return 0;
}

SEC("fexit/tcp_v4_rcv")
int BPF_PROG(on_segment4_done, struct sk_buff *skb)
{
	segment_end(skb);
	return 0;
}

SEC("fexit/tcp_v6_rcv")
int BPF_PROG(on_segment6_done, struct sk_buff *skb)
{
	segment_end(skb);
	return 0;
}

SEC("fexit/sk_filter_trim_cap")
int BPF_PROG(on_match, struct sock *sk, struct sk_buff *skb)
{
	segment_filter(sk, skb, (__u32)load_slot(ctx, config.filter_args));
	return 0;
}

SEC("fentry/tcp_check_req")
int BPF_PROG(on_request, struct sock *sk, struct sk_buff *skb,
	     struct request_sock *req, __u8 fastopen)
{
	/* __u8, not bool: the upper bytes of its register are anything. */
	if (!fastopen)
		segment_request(sk, skb, req, (bool *)probe_slot(ctx, 4));
	return 0;
}

SEC("fexit/tcp_check_req")
int BPF_PROG(on_request_done, struct sock *sk, struct sk_buff *skb)
{
	fate_request_done(flight_find(this_cell(), skb),
			  load_slot(ctx, config.request_args));
	return 0;
}

SEC("fexit/tcp_add_backlog")
int BPF_PROG(on_backlog, struct sock *sk, struct sk_buff *skb)
{
	fate_backlog(flight_find(this_cell(), skb),
		     load_slot(ctx, config.backlog_args));
	return 0;
}

SEC("fexit/tcp_timewait_state_process")
int BPF_PROG(on_timewait_done, struct inet_timewait_sock *tw,
	     struct sk_buff *skb)
{
	fate_timewait_done(flight_find(this_cell(), skb),
			   load_slot(ctx, config.timewait_args));
	return 0;
}

/* --- a socket's life ---------------------------------------------------- */

SEC("fexit/inet_csk_accept")
int BPF_PROG(on_accept, struct sock *listener)
{
	struct sock *sk = (struct sock *)load_slot(ctx, config.accept_args);

	if (sk)
		accept_from(sk, listener);
	return 0;
}

/* Twice: where a task is preempted inside the one, and so keeps others out of
 * it on this CPU, they still get through the other. */
SEC("fentry/fd_install")
int BPF_PROG(on_fd_again, unsigned int fd, struct file *file)
{
	accept_fd(fd, file);
	return 0;
}

SEC("fexit/sock_bindtoindex_locked")
int BPF_PROG(on_device, struct sock *sk, int ifindex, int failed)
{
	if (!failed) {
		sock_rebinds(sk);
		udp_sock_rebinds(sk);
	}
	return 0;
}

SEC("fexit/inet_csk_listen_start")
int BPF_PROG(on_listen, struct sock *sk)
{
	if (!(__u32)load_slot(ctx, config.listen_args))
		sock_listens(sk);
	return 0;
}
