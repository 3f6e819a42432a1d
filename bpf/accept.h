/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accept.h - from a socket's birth to its file descriptor, and its end.
 *
 * No one hook sees all of accept(). A program on the exit of inet_csk_accept
 * knows the listener, but is skipped now and then: it can be preempted, and
 * one that runs on a CPU already is not entered again. security_sock_graft,
 * a moment later, runs with bottom halves off and is never skipped; it knows
 * the inode. fd_install knows the descriptor. They meet in the map accepting,
 * and the record leaves with the last of them.
 */
#ifndef DEMUX_ACCEPT_H
#define DEMUX_ACCEPT_H

#include "flight.h"

static __always_inline __u32 current_pid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void count_stuck(void)
{
	struct cell *cell = this_cell();

	if (cell)
		count(&cell->count.stuck);
}

static __always_inline void own(const void *sk)
{
	__u64 key = (__u64)sk;
	__u8 yes = 1;

	if (config.pid && bpf_map_update_elem(&owned, &key, &yes, BPF_ANY))
		count_stuck();
}

static __always_inline bool is_owned(const void *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&owned, &key);
}

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
	return filter_sock(&config, to);
}

/* Before the child can be found in the accept queue. */
static __always_inline void accept_birth(struct sock *listener,
					 struct sock *child)
{
	__u64 key = (__u64)child, value = (__u64)listener;

	if (!filter_port(&config, child->__sk_common.skc_num) ||
	    (config.pid && !is_owned(listener)))
		return;
	if (bpf_map_update_elem(&births, &key, &value, BPF_ANY))
		count_stuck();
	own(child);
}

static __always_inline void fill_accept(struct demux_accept *record)
{
	__u64 task = bpf_get_current_pid_tgid();

	fill_head(&record->head, DEMUX_ACCEPT, sizeof(*record));
	record->pid = task >> 32;
	record->tid = task;
	record->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* @sk was accepted from @listener, NULL where this hook does not know it.
 * Returns its record in accepting, or NULL where nobody asked for it. */
static __always_inline struct demux_accept *accept_note(struct sock *sk,
							struct sock *listener)
{
	struct demux_accept fresh = {}, *record;
	__u64 key = (__u64)sk, from = (__u64)listener, *born;

	born = bpf_map_lookup_elem(&births, &key);
	if (born) {
		from = *born;
		bpf_map_delete_elem(&births, &key);
	}
	if (config.pid && config.pid != current_pid())
		return NULL;
	if (!read_wanted(&fresh.sock, sk))
		return NULL;
	own(sk);
	if (listener)
		own(listener);
	record = bpf_map_lookup_elem(&accepting, &key);
	if (!record) {
		fill_accept(&fresh);
		if (bpf_map_update_elem(&accepting, &key, &fresh, BPF_ANY))
			count_stuck();
		record = bpf_map_lookup_elem(&accepting, &key);
	}
	if (record && from) {
		record->listener = sock_id((void *)from);
		record->have |= DEMUX_HAVE_LISTENER;
	}
	return record;
}

static __always_inline void accept_graft(struct sock *sk, struct socket *socket)
{
	struct demux_accept *record = accept_note(sk, NULL);

	if (!record)
		return;
	record->inode = read_inode(socket);
	record->have |= DEMUX_HAVE_INODE;
	if (config.has_cookie) {
		record->cookie = bpf_get_socket_cookie(sk);
		record->have |= DEMUX_HAVE_COOKIE;
	}
}

/* Sends the record that waits for @sk's descriptor, with it or, below 0, without.
 * Of several that try, on_fd and on_fd_again say, one does. */
static __always_inline void accept_tell(__u64 sk, int fd)
{
	struct demux_accept *record, copy;

	record = bpf_map_lookup_elem(&accepting, &sk);
	if (!record)
		return;
	__builtin_memcpy(&copy, record, sizeof(copy));
	if (bpf_map_delete_elem(&accepting, &sk))
		return;
	if (fd >= 0) {
		copy.fd = fd;
		copy.have |= DEMUX_HAVE_FD;
	}
	emit_other(&copy, sizeof(copy));
}

static __always_inline void accept_fd(unsigned int fd, struct file *file)
{
	struct socket *socket;
	__u64 key = 0;

	if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return;
	socket = file->private_data;
	bpf_core_read(&key, sizeof(key), &socket->sk);
	accept_tell(key, fd);
}

static __always_inline void sock_listens(struct sock *sk)
{
	struct demux_listen record = {};
	__u64 task = bpf_get_current_pid_tgid();

	if (config.pid && config.pid != task >> 32)
		return;
	if (!read_wanted(&record.sock, sk))
		return;
	own(sk);
	fill_head(&record.head, DEMUX_LISTEN, sizeof(record));
	record.pid = task >> 32;
	record.tid = task;
	record.uid = bpf_get_current_uid_gid();
	record.backlog = sk->sk_max_ack_backlog;
	bpf_get_current_comm(record.comm, sizeof(record.comm));
	emit_other(&record, sizeof(record));
}

/* Often a segment is what ends a socket: then it is told first. */
static __always_inline void emit_close(struct demux_close *record)
{
	struct flight *flight = flight_current(this_cell());

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

	/* Accepted, yet without a descriptor of its own: MPTCP's, io_uring's. */
	if (how == DEMUX_DESTROYED)
		accept_tell(key, -1);
	if ((!config.pid || is_owned(sk)) && read_wanted(&record.sock, sk)) {
		fill_head(&record.head, DEMUX_CLOSE, sizeof(record));
		record.how = how;
		emit_close(&record);
	}
	if (how == DEMUX_DESTROYED) {
		bpf_map_delete_elem(&births, &key);
		if (config.pid)
			bpf_map_delete_elem(&owned, &key);
	}
}

#endif
