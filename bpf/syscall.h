/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * syscall.h - accept() and listen() as their system calls' exits show them, for
 * the stable backend: the descriptor leads to the file, that to the socket.
 */
#ifndef DEMUX_SYSCALL_H
#define DEMUX_SYSCALL_H

#include <bpf/bpf_tracing.h>

#include "accept.h"

#ifdef __TARGET_ARCH_arm64
#define SYS_BIND             200
#define SYS_LISTEN           201
#define SYS_ACCEPT           202
#define SYS_CONNECT          203
#define SYS_SETSOCKOPT       208
#define SYS_ACCEPT4          242
#define SYSCALL_NUMBER(regs) ((regs)->syscallno)
#else
#define SYS_CONNECT          42
#define SYS_BIND             49
#define SYS_LISTEN           50
#define SYS_SETSOCKOPT       54
#define SYS_ACCEPT           43
#define SYS_ACCEPT4          288
#define SYSCALL_NUMBER(regs) ((regs)->orig_ax)
#endif

#define SOL_SOCKET       1
#define SO_BINDTODEVICE  25
#define SO_BINDTOIFINDEX 62

#define TS_COMPAT 2 /* x86: a system call of 32 bits, with other numbers */

/* Which call of a task the first of two programs on its exit has told, until the
 * second comes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u64); /* pid_tgid, and the protocol in its highest bits */
	__type(value, __u64);
} told SEC(".maps");

/* What the perf event of sys_exit tells. */
struct syscall_exit {
	__u64 common;
	__s64 number;
	__s64 ret;
};

static __always_inline struct pt_regs *syscall_regs(void)
{
	return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* The socket that this task has open as @fd, or NULL. */
static __always_inline struct socket *syscall_socket(__u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), &files[fd]) || !file)
		return NULL;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return BPF_CORE_READ(file, private_data);
}

static __always_inline bool is_compat(void)
{
#ifdef __TARGET_ARCH_x86
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
#else
	return false;
#endif
}

static __always_inline void syscall_accepted(__u32 listener_fd, __u32 fd)
{
	struct socket *socket = syscall_socket(fd);
	struct socket *from = syscall_socket(listener_fd);
	struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
	struct sock *listener = from ? BPF_CORE_READ(from, sk) : NULL;

	if (!sk || !is_tcp(sk))
		return;
	/* MPTCP's is not the one that listens, and nothing tells of its end. What
	 * another thread has put in the descriptor's place meanwhile is not either:
	 * the birth is the better witness, but where children move. */
	if (listener && is_tcp(listener))
		accept_take(sk, listener,
			    children_move(sk) ? BPF_ANY : BPF_NOEXIST);
	accept_tell(sk, socket, fd);
}

/* What a task was called to do before, and did not come back from here (32-bit
 * calls, io_uring), must not be taken for this call: the descriptor tells. */
static __always_inline void syscall_listens(__u32 fd, long ret)
{
	struct sock *sk = call_ends();
	struct socket *socket = syscall_socket(fd);

	if (!sk || ret || !socket)
		return;
	/* MPTCP's descriptor leads to another socket than listens. */
	if (BPF_CORE_READ(socket, sk) == sk ||
	    BPF_CORE_READ(socket, sk, sk_protocol) == IPPROTO_MPTCP)
		sock_listens(sk);
}

/* The socket that this call bound to a device, or to none; or NULL. */
static __always_inline struct sock *syscall_rebound(struct pt_regs *regs,
						    long ret)
{
	struct socket *socket;
	__u32 option;

	/* All system calls of the host come here. */
	if (SYSCALL_NUMBER(regs) != SYS_SETSOCKOPT || ret || is_compat() ||
	    (__u32)PT_REGS_PARM2_CORE_SYSCALL(regs) != SOL_SOCKET)
		return NULL;
	option = PT_REGS_PARM3_CORE_SYSCALL(regs);
	if (option != SO_BINDTODEVICE && option != SO_BINDTOIFINDEX)
		return NULL;
	socket = syscall_socket(PT_REGS_PARM1_CORE_SYSCALL(regs));
	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

/* The socket that is told of where this call was good: of accept() the new one. NULL
 * for other calls, and for listen(), of which nothing is told twice. */
static __always_inline struct socket *
syscall_subject(struct pt_regs *regs, long ret, enum demux_protos proto)
{
	long number = SYSCALL_NUMBER(regs);
	struct sock *rebound = syscall_rebound(regs, ret);

	if (rebound)
		return BPF_CORE_READ(rebound, sk_socket);
	if (proto == DEMUX_TCP ?
		    (number != SYS_ACCEPT && number != SYS_ACCEPT4) || ret < 0 :
		    (number != SYS_BIND && number != SYS_CONNECT) || ret)
		return NULL;
	return syscall_socket(
		proto == DEMUX_TCP ? ret : PT_REGS_PARM1_CORE_SYSCALL(regs));
}

/*
 * Two are attached where sys_exit may fault. The tracepoint's program is kept out
 * while a task waits for this CPU that was preempted in it; the one on its perf event,
 * which is run first, cannot be preempted, but is kept out while one waits that was
 * preempted inside bpf(). The second tells what the first could not.
 */
static __always_inline bool syscall_is_news(struct pt_regs *regs, long ret,
					    enum demux_protos proto,
					    bool is_second)
{
	__u64 key = bpf_get_current_pid_tgid() | (__u64)proto << 60;
	struct socket *socket = syscall_subject(regs, ret, proto);
	__u64 call, *last;

	if (!socket)
		return true;
	/* No two sockets have one inode. */
	call = read_inode(socket) << 16 | SYSCALL_NUMBER(regs);
	if (!is_second) {
		bpf_map_update_elem(&told, &key, &call, BPF_ANY);
		return true;
	}
	last = bpf_map_lookup_elem(&told, &key);
	if (!last || *last != call)
		return true;
	bpf_map_delete_elem(&told, &key);
	return false;
}

static __always_inline void syscall_ends(struct pt_regs *regs, long ret)
{
	long number = SYSCALL_NUMBER(regs);
	struct sock *rebound = syscall_rebound(regs, ret);

	if (rebound)
		sock_rebinds(rebound);
	else if (number == SYS_LISTEN && !is_compat())
		syscall_listens(PT_REGS_PARM1_CORE_SYSCALL(regs), ret);
	else if ((number == SYS_ACCEPT || number == SYS_ACCEPT4) && ret >= 0 &&
		 !is_compat())
		syscall_accepted(PT_REGS_PARM1_CORE_SYSCALL(regs), ret);
}

#endif
