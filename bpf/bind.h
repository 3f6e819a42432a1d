/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bind.h - a UDP socket's life: when it gets its port and its remote end, in a call
 * of the process that it belongs to, and when it ends.
 */
#ifndef DEMUX_BIND_H
#define DEMUX_BIND_H

#include "accept.h"
#include "kernel_udp.h"

static __always_inline bool read_wanted_udp(struct demux_sock *to,
					    struct sock *sk)
{
	if (!is_udp(sk) || !filter_port(&config, GET(sk, __sk_common.skc_num)))
		return false;
	read_udp_sock(to, sk);
	return to->ends.lport && filter_sock(&config, to) &&
	       (!config.cgroup || is_in_cgroup((__u64)sk, config.cgroup));
}

/* bind(), connect() or the first send have given @sk its port, or connect() its
 * remote end. */
static __always_inline void sock_binds(struct sock *sk)
{
	struct demux_accept record = {};

	if (!is_wanted_task() || !is_udp(sk))
		return;
	own(sk);
	if (!read_wanted_udp(&record.sock, sk))
		return;
	fill_head(&record.head, DEMUX_BIND, sizeof(record));
	fill_actor(&record);
	emit_other(&record, sizeof(record));
}

/* @sk was bound to a device, or to none. */
static __always_inline void udp_sock_rebinds(struct sock *sk)
{
	struct demux_device record = {};

	if (is_wanted_sock(sk) && read_wanted_udp(&record.sock, sk))
		emit_device(&record);
}

/* Its memory goes back soon, and no datagram can match it any more. */
static __always_inline void sock_unbinds(struct sock *sk)
{
	struct demux_close record = {};

	if (is_wanted_sock(sk) && read_wanted_udp(&record.sock, sk)) {
		fill_head(&record.head, DEMUX_CLOSE, sizeof(record));
		record.how = DEMUX_DESTROYED;
		emit_other(&record, sizeof(record));
	}
	if (is_udp(sk))
		disown(sk);
}

/* For kprobes: the call's exit tells how it went. A connect() may have a bind in
 * it. */
#define CONNECTING (1ull << 63)

static __always_inline void udp_call_begins(struct sock *sk, __u64 call)
{
	if (is_udp(sk))
		call_begins_of(sk, call);
}

static __always_inline void udp_call_ends(__u64 call, int failed)
{
	struct sock *sk = call_ends_of(call);

	if (sk && !failed)
		sock_binds(sk);
}

#endif
