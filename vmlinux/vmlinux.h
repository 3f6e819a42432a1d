/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmlinux.h - the kernel's types, cut by hand: only the members that bpf/ reads.
 *
 * Every struct here is relocated by CO-RE: the loader looks a member up by its
 * name in the running kernel's BTF, through anonymous unions and structs too,
 * so neither the order nor the gaps here mean anything. README.md beside this
 * file says how to add one and how they are checked against a kernel.
 */
#ifndef __VMLINUX_H__ /* this very name: bpf_tracing.h asks for it */
#define __VMLINUX_H__

#include <linux/types.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

/* Only which values there are. */
enum skb_drop_reason {
	SKB_DROP_REASON_TCP_AUTH_HDR = 1,
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
};

struct hlist_nulls_head {
	struct hlist_nulls_node *first;
};

struct hlist_node {
	struct hlist_node *next;
};

/* The lookup tables of TCP. */
struct inet_ehash_bucket {
	struct hlist_nulls_head chain;
};

struct inet_listen_hashbucket {
	struct hlist_nulls_head nulls_head;
};

struct inet_hashinfo {
	struct inet_ehash_bucket *ehash;
	unsigned int ehash_mask;
	unsigned int lhash2_mask;
	struct inet_listen_hashbucket *lhash2;
};

struct inet_timewait_death_row {
	struct inet_hashinfo *hashinfo;
};

struct netns_ipv4 {
	struct inet_timewait_death_row tcp_death_row;
	u8 sysctl_tcp_l3mdev_accept;
	u8 sysctl_tcp_migrate_req;
};

struct bpf_prog_aux {
	u32 id;
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

struct bpf_prog_array_item {
	struct bpf_prog *prog;
};

struct bpf_prog_array {
	struct bpf_prog_array_item items[0];
};

struct netns_bpf {
	struct bpf_prog_array *run_array[2]; /* by netns_bpf_attach_type */
};

struct net {
	struct ns_common ns;
	u32 hash_mix;
	struct netns_ipv4 ipv4;
	struct netns_bpf bpf;
};

struct netns_ipv4___apart {
	struct inet_timewait_death_row *tcp_death_row;
};

struct net___apart {
	struct netns_ipv4___apart ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct net_device {
	possible_net_t nd_net;
};

struct sock;
struct socket;
struct sock_reuseport;

/* The part that full sockets, requests and TIME_WAIT sockets share. */
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	unsigned int skc_hash;
	struct hlist_nulls_node skc_nulls_node;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	struct sock *skc_listener; /* requests only */
	int skc_incoming_cpu; /* full sockets only */
};

struct kernfs_node {
	u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct sock_cgroup_data sk_cgrp_data;
	struct socket *sk_socket;
	__u16 sk_type;
	__u16 sk_protocol;
	u32 sk_ack_backlog;
	struct sock_reuseport *sk_reuseport_cb;
	u32 sk_max_ack_backlog;
};

struct sock_cgroup_data___shared {
	u64 val;
};

struct sock___shared_cgroup {
	struct sock_cgroup_data___shared sk_cgrp_data;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

/* Of a bit field as of an integer, whose size differs. */
struct udp_sock {
	__u8 encap_type;
};

struct udp_table {
	struct udp_hslot *hash4;
};

struct sock_reuseport {
	__u16 num_socks;
	__u16 num_closed_socks;
	__u16 incoming_cpu;
	struct bpf_prog *prog;
	struct sock *socks[1];
};

typedef struct {
	int counter;
} atomic_t;

struct request_sock;

struct request_sock_queue {
	atomic_t qlen;
	struct request_sock *rskq_accept_head;
};

struct inet_connection_sock {
	struct request_sock_queue icsk_accept_queue;
	struct hlist_node icsk_listen_portaddr_node;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	bool is_mptcp;
	void *md5sig_info;
	void *ao_info;
};

struct request_sock {
	struct sock_common __req_common;
	struct request_sock *dl_next;
	struct sock *sk;
};

struct tcp_request_sock {
	u32 rcv_isn;
};

/* Where the kernel has MPTCP. */
struct mptcp_sock {
	struct sock *first;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	volatile unsigned char tw_substate;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
	void *ao_info;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	unsigned int data_len;
	__u8 pkt_type : 3;
	__be16 protocol;
	__u8 csum_valid : 1;
	__u8 csum_complete_sw : 1;
	int skb_iif;
	unsigned long _skb_refdst;
	void (*destructor)(struct sk_buff *skb);
	char cb[48];
	__u16 transport_header;
	__u16 network_header;
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
};

struct inet_skb_parm {
	int iif;
	__u16 flags;
};

struct inet6_skb_parm {
	int iif;
	__u16 flags;
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	union {
		struct inet_skb_parm h4;
		struct inet6_skb_parm h6;
	} header;
};

struct rtable {
	unsigned int rt_flags;
	__u16 rt_type;
	int rt_iif;
};

struct rt6_info {
	__u32 rt6i_flags;
};

struct skb_shared_info {
	unsigned short gso_segs;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct thread_info {
	u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	int tgid;
	int pid;
	struct files_struct *files;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	const struct cred *cred;
	char comm[16];
};

struct list_head {
	struct list_head *next;
};

/* What a kprobe's perf event leads to. */
struct trace_event_call {
	int flags;
};

struct perf_event {
	struct trace_event_call *tp_event;
};

struct kprobe {
	unsigned long nmissed;
};

struct kretprobe {
	struct kprobe kp;
	int nmissed;
};

struct trace_probe_event {
	struct trace_event_call call;
	struct list_head probes;
};

struct trace_probe {
	struct list_head list;
};

struct trace_kprobe {
	struct kretprobe rp;
	unsigned long *nhit;
	struct trace_probe tp;
};

/* The registers at a function's entry and exit, and at a system call's. */
#ifdef __TARGET_ARCH_arm64
struct user_pt_regs {
	u64 regs[31], sp, pc;
};

struct pt_regs {
	u64 regs[31], orig_x0;
	int syscallno;
};
#else
struct pt_regs {
	unsigned long di, si, dx, cx, r8, r9, ax, sp, ip, orig_ax;
};
#endif

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
