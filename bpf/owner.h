/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * owner.h - is this task's doing wanted, and is this socket its own? For --pid,
 * for a command that the tracer runs, and for --cgroup. Without these all is
 * wanted, and nothing here costs anything.
 */
#ifndef DEMUX_OWNER_H
#define DEMUX_OWNER_H

#include "kernel.h"
#include "maps.h"

static __always_inline bool is_by_owner(void)
{
	return config.pid || config.cgroup;
}

static __always_inline void count_stuck(void)
{
	struct cell *cell = this_cell();

	if (cell)
		count(&cell->count.stuck);
}

static __always_inline bool is_wanted_tgid(__u32 tgid)
{
	if (!config.pid || config.pid == tgid)
		return true;
	return config.follow && bpf_map_lookup_elem(&tasks, &tgid);
}

/* Does the task that runs now belong to what is traced? */
static __always_inline bool is_wanted_task(void)
{
	return is_wanted_tgid(bpf_get_current_pid_tgid() >> 32);
}

/* From now on @sk, and what is born of it, is wanted. */
static __always_inline void own(const void *sk)
{
	__u64 key = (__u64)sk;
	__u8 yes = 1;

	if (config.pid && bpf_map_update_elem(&owned, &key, &yes, BPF_ANY))
		count_stuck();
}

static __always_inline void disown(const void *sk)
{
	__u64 key = (__u64)sk;

	if (config.pid)
		bpf_map_delete_elem(&owned, &key);
}

/* @sk is a full socket, a request or a TIME_WAIT socket; the latter two are no
 * cgroup's. */
static __always_inline bool is_wanted_sock(const void *sk)
{
	__u64 key = (__u64)sk;

	if (config.pid && !bpf_map_lookup_elem(&owned, &key))
		return false;
	return !config.cgroup || is_in_cgroup(key, config.cgroup);
}

/* --- the processes that a command starts --------------------------------- */

static __always_inline void task_forks(__u32 parent, __u32 child)
{
	__u8 yes = 1;

	if (config.follow && parent != child && is_wanted_tgid(parent) &&
	    bpf_map_update_elem(&tasks, &child, &yes, BPF_ANY))
		count_stuck();
}

static __always_inline void task_exits(__u32 pid)
{
	if (config.follow)
		bpf_map_delete_elem(&tasks, &pid);
}

#endif
