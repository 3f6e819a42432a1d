/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accept.h - from a socket's birth to its file descriptor, and its end.
 *
 * No one hook sees all of accept(). A program on the exit of inet_csk_accept
 * knows the listener, but is skipped now and then: it can be preempted, and
 * one that runs on a CPU already is not entered again. security_sock_graft,
 * a moment later, runs with bottom halves off and is never skipped; it knows
 * the inode, and tells. fd_install knows the descriptor, which user space puts
 * to the rest.
 */
#ifndef DEMUX_ACCEPT_H
#define DEMUX_ACCEPT_H

#include "flight.h"
#include "owner.h"

/* Reads @sk, also one that has given its port back, as a reset or its close
 * makes it. False for one that nobody asked for, or that never had a port. */
static __always_inline bool read_wanted(struct demux_sock *to, struct sock *sk)
{
	__u16 port;

	if (!is_tcp(sk))
		return false;
	port = read_lport(sk);
	if (!port || !filter_port(&config, port))
		return false;
	read_sock(to, &sk->__sk_common);
	to->ends.lport = port;
	return filter_sock(&config, to) &&
	       (!config.cgroup || is_in_cgroup((__u64)sk, config.cgroup));
}

/* Before the child can be found in the accept queue. */
static __always_inline void accept_birth(struct sock *listener,
					 struct sock *child)
{
	__u64 key = (__u64)child, value = (__u64)listener;

	if (!filter_port(&config, GET(child, __sk_common.skc_num)) ||
	    !is_wanted_sock(listener))
		return;
	if (bpf_map_update_elem(&births, &key, &value, BPF_ANY))
		count_stuck();
	own(child);
}

static __always_inline void fill_actor(struct demux_accept *record)
{
	__u64 task = bpf_get_current_pid_tgid();

	record->pid = task >> 32;
	record->tid = task;
	record->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	record->have |= DEMUX_HAVE_OWNER;
}

/* Whose child is @sk? */
static __always_inline void take_birth(struct demux_accept *record, __u64 sk)
{
	__u64 *listener = bpf_map_lookup_elem(&births, &sk);

	if (!listener)
		return;
	record->listener = sock_id((void *)*listener);
	record->have |= DEMUX_HAVE_LISTENER;
	bpf_map_delete_elem(&births, &sk);
}

/* @sk was accepted; @socket, if not NULL, is its file's, and @fd, if not below 0,
 * its descriptor. */
static __always_inline void accept_tell(struct sock *sk, struct socket *socket,
					int fd)
{
	struct demux_accept record = {};
	__u64 key = (__u64)sk;
	__u8 yes = 1;

	take_birth(&record, key);
	if (!is_wanted_task() || !read_wanted(&record.sock, sk))
		return;
	own(sk);
	if (fd < 0 && bpf_map_update_elem(&accepting, &key, &yes, BPF_ANY))
		count_stuck();
	fill_head(&record.head, DEMUX_ACCEPT, sizeof(record));
	fill_actor(&record);
	if (fd >= 0) {
		record.fd = fd;
		record.have |= DEMUX_HAVE_FD;
	}
	if (socket) {
		record.inode = read_inode(socket);
		record.have |= DEMUX_HAVE_INODE;
	}
#ifndef DEMUX_UNTYPED
	if (socket && config.has_cookie)
		bpf_get_socket_cookie(sk); /* makes one */
#endif
	record.cookie = read_cookie(sk);
	if (record.cookie)
		record.have |= DEMUX_HAVE_COOKIE;
	emit_other(&record, sizeof(record));
}

/* Does inet_csk_accept() alone show that @sk is accepted? What it took from a
 * queue is grafted then, but a subflow is not: the MPTCP socket it belongs to
 * is. */
static __always_inline bool is_told_at_once(struct sock *sk)
{
	return !config.has_graft || is_subflow(sk);
}

/* Can a child move to the queue of another listener? */
static __always_inline bool children_move(struct sock *sk)
{
	struct net *net = GET(sk, __sk_common.skc_net.net);

	return bpf_core_field_exists(net->ipv4.sysctl_tcp_migrate_req) &&
	       BPF_CORE_READ(net, ipv4.sysctl_tcp_migrate_req);
}

/* Accepted from @listener: with BPF_ANY that is told, and I7 compares it with that of
 * the birth; with BPF_NOEXIST only where the birth was not seen. */
static __always_inline void accept_take(struct sock *sk, struct sock *listener,
					__u64 flags)
{
	__u64 key = (__u64)sk, value = (__u64)listener;

	if (!filter_port(&config, GET(sk, __sk_common.skc_num)) ||
	    !is_wanted_task())
		return;
	bpf_map_update_elem(&births, &key, &value, flags);
	own(listener);
}

/* inet_csk_accept() took @sk from the queue of @listener. */
static __always_inline void accept_from(struct sock *sk, struct sock *listener)
{
	accept_take(sk, listener, BPF_ANY);
	if (is_told_at_once(sk))
		accept_tell(sk, NULL, -1);
}

/* The same in two parts: its entry, and what shows that it was good. Where an entry
 * was missed, the listener of an earlier call that failed is there still: so none is
 * kept where the birth's is sure to be the one. */
static __always_inline void accept_begins(struct sock *listener)
{
	__u64 task = bpf_get_current_pid_tgid(), value = (__u64)listener;

	if (children_move(listener))
		bpf_map_update_elem(&accepts_from, &task, &value, BPF_ANY);
}

static __always_inline void accept_ends(struct sock *sk, struct socket *socket)
{
	__u64 task = bpf_get_current_pid_tgid();
	__u64 *listener = bpf_map_lookup_elem(&accepts_from, &task);

	if (listener && is_tcp(sk)) {
		accept_take(sk, (struct sock *)*listener, BPF_ANY);
		bpf_map_delete_elem(&accepts_from, &task);
	}
	accept_tell(sk, socket, -1);
}

/* @fd is @file from now on, which may be a socket that was just accepted. */
static __always_inline void accept_fd(unsigned int fd, struct file *file)
{
	struct demux_fd record = { .fd = fd };
	struct socket *socket;
	__u64 key = 0;

	if ((GET(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return;
	socket = GET(file, private_data);
	bpf_core_read(&key, sizeof(key), &socket->sk);
	if (bpf_map_delete_elem(&accepting, &key))
		return;
	fill_head(&record.head, DEMUX_FD, sizeof(record));
	record.sock = sock_id((void *)key);
	emit_other(&record, sizeof(record));
}

/* This task was called to do something to @sk; how it went, its exit tells. The
 * highest bits of @call are free for what else may be done within a call. */
static __always_inline void call_begins_of(struct sock *sk, __u64 call)
{
	__u64 value = (__u64)sk;

	call |= bpf_get_current_pid_tgid();
	if (bpf_map_update_elem(&calls, &call, &value, BPF_ANY))
		count_stuck();
}

static __always_inline void call_begins(struct sock *sk)
{
	if (is_tcp(sk))
		call_begins_of(sk, 0);
}

static __always_inline struct sock *call_ends_of(__u64 call)
{
	__u64 *value, sk;

	call |= bpf_get_current_pid_tgid();
	value = bpf_map_lookup_elem(&calls, &call);
	if (!value)
		return NULL;
	sk = *value;
	bpf_map_delete_elem(&calls, &call);
	return (struct sock *)sk;
}

static __always_inline struct sock *call_ends(void)
{
	return call_ends_of(0);
}

static __always_inline void sock_listens(struct sock *sk)
{
	struct demux_listen record = {};
	__u64 task = bpf_get_current_pid_tgid();

	if (!is_wanted_task() || !read_wanted(&record.sock, sk))
		return;
	own(sk);
	fill_head(&record.head, DEMUX_LISTEN, sizeof(record));
	record.pid = task >> 32;
	record.tid = task;
	record.uid = bpf_get_current_uid_gid();
	record.backlog = GET(sk, sk_max_ack_backlog);
	bpf_get_current_comm(record.comm, sizeof(record.comm));
	emit_other(&record, sizeof(record));
}

static __always_inline void emit_device(struct demux_device *record)
{
	fill_head(&record->head, DEMUX_DEVICE, sizeof(*record));
	emit_other(record, sizeof(*record));
}

/* @sk was bound to a device, or to none. Before it listens or connects, that is
 * nothing to tell. */
static __always_inline void sock_rebinds(struct sock *sk)
{
	struct demux_device record = {};

	if (is_wanted_sock(sk) && read_wanted(&record.sock, sk) &&
	    record.sock.state != TCP_CLOSE)
		emit_device(&record);
}

/* For kprobes: SO_BINDTODEVICE, which a BPF program may set in the midst of
 * another call. */
#define REBINDING (1ull << 62)

/* Often a segment is what ends a socket: then it is told first. */
static __always_inline void emit_close(struct demux_close *record)
{
	struct flight *flight = flight_current(this_cell());

	record->is_received = flight != NULL;
	if (flight && flight->ends == 0)
		__builtin_memcpy(&flight->end[0], record, sizeof(*record));
	else if (flight && flight->ends == 1)
		__builtin_memcpy(&flight->end[1], record, sizeof(*record));
	else
		return emit_other(record, sizeof(*record));
	flight->ends++;
}

static __always_inline void sock_closes(struct sock *sk, __u32 how)
{
	struct demux_close record = {};
	__u64 key = (__u64)sk;

	if (is_wanted_sock(sk) && read_wanted(&record.sock, sk)) {
		fill_head(&record.head, DEMUX_CLOSE, sizeof(record));
		record.how = how;
		emit_close(&record);
	}
	if (how == DEMUX_DESTROYED) {
		bpf_map_delete_elem(&births, &key);
		bpf_map_delete_elem(&accepting, &key);
		disown(sk);
	}
}

/* The inet_sock_set_state tracepoint, told a moment before the state changes, and a
 * moment after the socket has left the lookup tables. */
static __always_inline void sock_changes(struct sock *sk, int before, int after)
{
	if (after == TCP_CLOSE)
		sock_closes(sk, DEMUX_UNHASHED);
	/* What comes before listen() returns is its task's already. MPTCP's own
	 * and SCTP's listen too, and nothing would tell of their end. */
	if (after == TCP_LISTEN && is_tcp(sk) && is_wanted_task())
		own(sk);
#ifdef DEMUX_UNTYPED
	/* A cookie is made when somebody first asks for it. The hooks on
	 * accept() that know no types cannot ask, but find it there. */
	if (config.has_cookie && before == TCP_SYN_RECV &&
	    after == TCP_ESTABLISHED &&
	    filter_port(&config, GET(sk, __sk_common.skc_num)))
		bpf_get_socket_cookie(sk);
#endif
}

#endif
