// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot.bpf.c - the sockets that are there already: one program sees every
 * open file of every process, the others the lookup tables of a network
 * namespace, TCP's and UDP's. Read by user/snapshot_iter.c, whatever the backend is.
 */
#include <linux/bpf.h>

#include "vmlinux.h"

/* An open file leads to its socket through a void *. */
#define DEMUX_UNTYPED

#include "config.h"
#include "filter.h"
#include "kernel.h"

/* Of one accept queue; those behind are told without their listener. */
#define CHILDREN_MAX 1024
/* Generations between a process and the one whose children are wanted. */
#define ANCESTORS_MAX 16

char LICENSE[] SEC("license") = "GPL";

const volatile struct demux_config config = {};

/* Children that wait in an accept queue, each with its listener. Listeners come
 * first in a pass, so theirs are here when they are met themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} waiting SEC(".maps");

/*
 * Begins a record. The time is taken before anything is read: what happened
 * earlier shows in the record, and what it does not show is told by a hook with
 * a later time.
 */
static __always_inline void begin(struct demux_accept *record)
{
	record->head.type = DEMUX_SOCKET;
	record->head.len = sizeof(*record);
	record->head.cpu = bpf_get_smp_processor_id();
	record->head.mono_ns = bpf_ktime_get_ns();
}

/* Reads the socket at @sk; false for one that nobody asked for. */
static __always_inline bool read_wanted(struct demux_accept *record, __u64 sk,
					bool of_udp)
{
	read_sock(&record->sock, sk);
	if (of_udp)
		record->sock.flags |= DEMUX_SOCK_UDP;
	if (!filter_sock(&config, &record->sock) ||
	    (config.cgroup && !is_in_cgroup(sk, config.cgroup)))
		return false;
	record->cookie = read_cookie((struct sock *)sk);
	if (record->cookie)
		record->have |= DEMUX_HAVE_COOKIE;
	return true;
}

/* --- what processes have open -------------------------------------------- */

/* Before 5.11, 203d7b054fc7 ("bpf: Avoid iterating duplicated files for
 * task_file iterator"), every thread shows the files it shares. */
static __always_inline bool shares_files(struct task_struct *task)
{
	return BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) &&
	       BPF_CORE_READ(task, files) ==
		       BPF_CORE_READ(task, group_leader, files);
}

static __always_inline bool is_wanted_owner(struct task_struct *task)
{
	__u32 pid = BPF_CORE_READ(task, tgid);

	if (!config.pid || pid == config.pid)
		return true;
	for (int i = 0; config.follow && pid > 1 && i < ANCESTORS_MAX; i++) {
		task = BPF_CORE_READ(task, real_parent);
		pid = BPF_CORE_READ(task, tgid);
		if (pid == config.pid)
			return true;
	}
	return false;
}

/* An MPTCP socket is in no lookup table: its first subflow is. */
static __always_inline struct sock *first_subflow(struct sock *sk)
{
	struct mptcp_sock *msk = (void *)sk;

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_MPTCP)
		return sk;
	if (!bpf_core_field_exists(msk->first))
		return NULL;
	return BPF_CORE_READ(msk, first);
}

/* Is it in TCP's lookup tables? Not before listen() or connect(), nor after a
 * reset. */
static __always_inline bool is_tcp_in_table(struct sock *sk)
{
	return is_tcp(sk) &&
	       BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_CLOSE;
}

static __always_inline bool is_udp_in_table(struct sock *sk)
{
	return is_udp(sk) && BPF_CORE_READ(sk, __sk_common.skc_num);
}

/* The socket that is open as @file, or 0: also for one in no lookup table. */
static __always_inline __u64 open_socket(struct file *file, bool *of_udp)
{
	struct socket *socket;
	struct sock *sk;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = first_subflow(BPF_CORE_READ(socket, sk));
	if (!sk)
		return 0;
	*of_udp = is_udp_in_table(sk);
	return *of_udp || is_tcp_in_table(sk) ? (__u64)sk : 0;
}

SEC("iter/task_file")
int on_open_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct demux_accept record = {};
	bool of_udp = false;
	__u64 sk;

	if (!task || !file)
		return 0;
	begin(&record);
	sk = open_socket(file, &of_udp);
	if (!sk || shares_files(task) || !is_wanted_owner(task) ||
	    !read_wanted(&record, sk, of_udp))
		return 0;
	record.have |= DEMUX_HAVE_OWNER | DEMUX_HAVE_FD | DEMUX_HAVE_INODE;
	record.fd = ctx->fd;
	record.pid = BPF_CORE_READ(task, tgid);
	record.tid = BPF_CORE_READ(task, pid);
	record.uid = BPF_CORE_READ(task, cred, uid.val);
	record.inode = BPF_CORE_READ(file, f_inode, i_ino);
	bpf_core_read(record.comm, sizeof(record.comm), &task->comm);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* --- what is in the lookup tables ----------------------------------------- */

static __always_inline void note_children(__u64 listener)
{
	struct inet_connection_sock *icsk = (void *)listener;
	struct request_sock *req =
		BPF_CORE_READ(icsk, icsk_accept_queue.rskq_accept_head);

	for (int i = 0; req && i < CHILDREN_MAX; i++) {
		__u64 child = (__u64)BPF_CORE_READ(req, sk);

		bpf_map_update_elem(&waiting, &child, &listener, BPF_ANY);
		req = BPF_CORE_READ(req, dl_next);
	}
}

/* The listener of a request, or of a child that nobody has accepted yet. */
static __always_inline __u64 find_listener(__u64 sk, __u8 state)
{
	struct sock_common *skc = (void *)sk;
	__u64 *listener;

	if (state == TCP_NEW_SYN_RECV)
		return (__u64)BPF_CORE_READ(skc, skc_listener);
	listener = bpf_map_lookup_elem(&waiting, &sk);
	return listener ? *listener : 0;
}

static __always_inline void read_file(struct demux_accept *record, __u64 sk)
{
	struct socket *socket = BPF_CORE_READ((struct sock *)sk, sk_socket);

	if (!socket)
		return;
	record->inode = read_inode(socket);
	record->have |= DEMUX_HAVE_INODE;
}

SEC("iter/tcp")
int on_tcp_entry(struct bpf_iter__tcp *ctx)
{
	__u64 sk = (__u64)ctx->sk_common, listener;
	struct demux_accept record = {};
	__u8 state;

	if (!sk)
		return 0;
	begin(&record);
	if (!read_wanted(&record, sk, false))
		return 0;
	state = record.sock.state;
	if (state == TCP_LISTEN)
		note_children(sk);
	listener = find_listener(sk, state);
	if (listener) {
		record.listener = sock_id((void *)listener);
		record.have |= DEMUX_HAVE_LISTENER;
	}
	if (state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV)
		read_file(&record, sk);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

SEC("iter/udp")
int on_udp_entry(struct bpf_iter__udp *ctx)
{
	__u64 sk = (__u64)ctx->udp_sk;
	struct demux_accept record = {};

	if (!sk)
		return 0;
	begin(&record);
	if (!read_wanted(&record, sk, true))
		return 0;
	read_file(&record, sk);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
