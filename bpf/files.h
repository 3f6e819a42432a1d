/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * files.h - programs that every backend has, whatever its hooks are: they walk
 * the open files of all processes, and follow who starts whom.
 */
#ifndef DEMUX_FILES_H
#define DEMUX_FILES_H

#include "accept.h"

/* The address of the socket that is open as @file, or 0. */
static __always_inline __u64 file_socket(struct file *file)
{
	struct socket *socket;
	__u64 sk = 0;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	bpf_core_read(&sk, sizeof(sk), &socket->sk);
	return sk;
}

/* Read once at the start: what the wanted processes have open already. */
SEC("iter/task_file")
int on_owned_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	__u64 sk;

	if (!task || !file || !config.pid || !is_wanted_tgid(task->tgid))
		return 0;
	sk = file_socket(file);
	if (sk)
		own((void *)sk);
	return 0;
}

/*
 * Read when an accepted socket still waits for its descriptor, because both
 * programs on fd_install were skipped, or it was never called: tells that of
 * each one that has one.
 */
SEC("iter/task_file")
int on_missed_file(struct bpf_iter__task_file *ctx)
{
	struct demux_fd record = {};
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	__u64 sk;

	if (!task || !file)
		return 0;
	sk = file_socket(file);
	if (!sk || bpf_map_delete_elem(&accepting, &sk))
		return 0;
	fill_head(&record.head, DEMUX_FD, sizeof(record));
	record.sock = sock_id((void *)sk);
	record.fd = ctx->fd;
	emit_other(&record, sizeof(record));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	task_forks(parent->tgid, child->tgid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (task->pid == task->tgid)
		task_exits(task->tgid);
	return 0;
}

#endif
