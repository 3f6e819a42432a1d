/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * entries.h - the programs that fentry and kprobe have alike: at the entry of a
 * function, where both know its arguments, and on tracepoints. A backend says how
 * one enters a function, and names that ENTRY.
 */
#ifndef DEMUX_ENTRIES_H
#define DEMUX_ENTRIES_H

#include "accept.h"
#include "args.h"
#include "fate.h"
#include "segment.h"

/* --- a segment's way ---------------------------------------------------- */

int ENTRY(on_request_dropped, inet_csk_reqsk_queue_drop_and_put)
{
	fate_request_dropped();
	return 0;
}

int ENTRY(on_request_made, inet_csk_reqsk_queue_hash_add)
{
	fate_syn(MET_REQUEST_MADE);
	return 0;
}

int ENTRY(on_synack, tcp_make_synack, void *sk, void *dst, void *req, void *foc,
	  __u32 type)
{
	fate_synack(type);
	return 0;
}

int ENTRY(on_timewait, tcp_timewait_state_process,
	  struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	segment_timewait(tw, skb);
	return 0;
}

int ENTRY(on_reset4, tcp_v4_send_reset, const struct sock *sk,
	  struct sk_buff *skb)
{
	segment_reset(sk, skb, 4);
	return 0;
}

int ENTRY(on_reset6, tcp_v6_send_reset, const struct sock *sk,
	  struct sk_buff *skb)
{
	segment_reset(sk, skb, 6);
	return 0;
}

int ENTRY(on_group, reuseport_select_sock, struct sock *sk, __u32 hash,
	  struct sk_buff *skb)
{
	segment_group(hash, skb);
	return 0;
}

int ENTRY(on_child, tcp_child_process, struct sock *listener,
	  struct sock *child, struct sk_buff *skb)
{
	segment_child(listener, child, skb);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_drop, struct sk_buff *skb)
{
	segment_drop(skb, drop_reason(ctx), drop_sock(ctx));
	return 0;
}

/* --- a socket's life ---------------------------------------------------- */

int ENTRY(on_birth, inet_csk_complete_hashdance, struct sock *listener,
	  struct sock *child)
{
	accept_birth(listener, child);
	return 0;
}

/* SYN cookies and Fast Open come here without the hashdance. */
int ENTRY(on_queued, inet_csk_reqsk_queue_add, struct sock *listener,
	  struct request_sock *req, struct sock *child)
{
	accept_birth(listener, child);
	segment_queued(listener, child);
	return 0;
}

int ENTRY(on_graft, security_sock_graft, struct sock *sk, struct socket *socket)
{
	accept_ends(sk, socket);
	return 0;
}

int ENTRY(on_fd, fd_install, unsigned int fd, struct file *file)
{
	accept_fd(fd, file);
	return 0;
}

#endif
