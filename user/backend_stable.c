// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_stable.c - no probe on any kernel function: the table of hooks of
 * bpf/stable.bpf.c, and what that has to be told. docs/hooks.md says what these
 * hooks can see and what not.
 */
#include "backend.h"
#include "backend_event.h"
#include "backend_load.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "classify.h"
#include "kernel_btf.h"
#include "kernel_symbols.h"
#include "log.h"
#include "mounts.h"
#include "stable.skel.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct hook hooks[] = {
	{ "on_destroy", "tcp_destroy_sock", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "sockets whose memory goes back" },
	{ "on_state", "inet_sock_set_state", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_PROOF,
	  "the socket born of a segment; sockets that listen or close" },
	{ "on_state_again", "inet_sock_set_state", HOOK_TRACEPOINT, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same, where the first was busy" },
	/* Before the next one, which passes over what this one has told. */
	{ "on_syscall_event", "sys_exit", HOOK_EVENT, false, MISS_SHOWS,
	  HOOK_EXTRA, "accepted sockets, new listeners" },
	{ "on_syscall_done", "sys_exit", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_PROOF, "accepted sockets, new listeners" },
	{ "on_reset", "tcp_send_reset", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "segments that were answered with a reset" },
	{ "on_softirq_done", "softirq_exit", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "the end of a round of receiving" },
	{ "on_poll_done", "napi_poll", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "the same, in threads" },
	{ "on_match", "cgroup_skb/ingress", HOOK_CGROUP, true, MISS_SHOWS,
	  HOOK_NEEDED, "segments and the full sockets that get them" },
	{ "on_drop", "kfree_skb", HOOK_TRACEPOINT, true, MISS_SHOWS,
	  HOOK_NEEDED, "segments that no full socket gets" },
	{ "on_drop_again", "kfree_skb", HOOK_TRACEPOINT, true, MISS_SHOWS,
	  HOOK_NEEDED, "the same, where the first was busy" },
	{ 0 },
};

/* --- what this kernel is like -------------------------------------------------- */

static bool wants(const struct demux_config *config, __u8 proto)
{
	return (config->protos ?: DEMUX_TCP) & proto;
}

static bool find_receivers(struct demux_config *config)
{
	static const char *const names[] = { "tcp_v4_rcv", "tcp_v6_rcv" };

	return kernel_symbols_ranges(names, COUNT(names), config->receivers,
				     COUNT(config->receivers)) > 0;
}

/* 7.2 has no __udp4_lib_rcv. */
static bool find_datagram_receivers(struct demux_config *config)
{
	static const char *const names[] = {
		"udp_rcv",
		"__udp4_lib_rcv",
		"udp_queue_rcv_skb",
		"udpv6_rcv",
		"__udp6_lib_rcv",
		"udpv6_queue_rcv_skb",
		"udp_queue_rcv_one_skb",
		"udpv6_queue_rcv_one_skb",
	};
	static const char *const queuer = "__udp_enqueue_schedule_skb";

	/* Of 6.18 and 7.2 it drops, older ones leave that to its callers. */
	kernel_symbols_ranges(&queuer, 1, config->datagram_queuers,
			      COUNT(config->datagram_queuers));
	return kernel_symbols_ranges(names, COUNT(names),
				     config->datagram_receivers,
				     COUNT(config->datagram_receivers)) > 0;
}

static void tell_limits(struct backend_trace *trace, const struct btf *btf)
{
	struct demux_config *config = trace->config;
	bool has_udp = wants(config, DEMUX_UDP);
	const char *more = "", *unseen = "";

	if (!wants(config, DEMUX_TCP)) {
		snprintf(trace->observed, sizeof(trace->observed),
			 "%snot seen: via, icmp, encap%s",
			 config->drop_args < 3 ? "predicted: outcome none; " :
						 "",
			 config->drop_args < 3 ? ", refused" : "");
		return;
	}
	if (config->drop_args < 3) {
		more = ", none, time_wait, refused";
		unseen = ", the socket of time_wait and refused";
	} else if (config->drop_args < 4) {
		more = ", time_wait";
		unseen = ", the socket of time_wait and refused";
	}
	snprintf(trace->observed, sizeof(trace->observed),
		 "predicted: outcome request and its socket%s; not seen: via, "
		 "time_wait reopened%s%s%s",
		 more, unseen,
		 kernel_btf_tracepoint_args(btf, "tcp_send_reset") < 3 ?
			 ", reset" :
			 "",
		 has_udp ? ", icmp, encap" : "");
}

static int describe(struct backend_trace *trace, const struct btf *btf,
		    char *why, size_t size)
{
	struct demux_config *config = trace->config;
	char path[256];

	if ((wants(config, DEMUX_TCP) && !find_receivers(config)) ||
	    (wants(config, DEMUX_UDP) && !find_datagram_receivers(config))) {
		snprintf(
			why, size,
			"/proc/kallsyms hides where the receive functions "
			"lie, so what they drop cannot be told from other drops: "
			"kernel.kptr_restrict is 2, or CAP_SYSLOG is missing");
		return -EPERM;
	}
	if (!mounts_find("cgroup2", path, sizeof(path))) {
		snprintf(why, size,
			 "no cgroup v2 hierarchy is mounted here, and its root "
			 "is where segments are seen: mount -t cgroup2 none "
			 "/sys/fs/cgroup");
		return -ENODEV;
	}
	config->blind |= BLIND_BACKLOG | BLIND_SYN;
	/* Up to 6.9 only of full sockets. */
	if (kernel_btf_tracepoint_args(btf, "tcp_send_reset") < 3)
		config->blind |= BLIND_RESET;
	/* sys_exit tells of accept(), so nothing waits for a graft. */
	config->has_graft = 1;
	tell_limits(trace, btf);
	return 0;
}

/* --- attach -------------------------------------------------------------------- */

/* The whole hierarchy has inode 1; a container may be shown a part as if it were
 * that. */
static int open_cgroup(struct backend_trace *trace)
{
	char path[256];
	struct stat stat;
	int fd;

	if (!mounts_find("cgroup2", path, sizeof(path)))
		return -ENODEV;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &stat) && stat.st_ino != 1) {
		log_warn("%s is only a part of the cgroup hierarchy: sockets "
			 "outside of it are not seen",
			 path);
		snprintf(trace->missing, sizeof(trace->missing), "cgroup-root");
	}
	return fd;
}

static struct bpf_link *attach(struct backend_trace *trace, int hook,
			       struct bpf_program *program)
{
	struct bpf_link *link;
	int fd, err;

	if (trace->hooks[hook]->kind == HOOK_EVENT)
		return backend_event_attach(program, "raw_syscalls/sys_exit");
	if (trace->hooks[hook]->kind != HOOK_CGROUP)
		return bpf_program__attach(program);
	fd = open_cgroup(trace);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_cgroup(program, fd);
	err = errno;
	close(fd);
	errno = err;
	return link;
}

BACKEND_OBJECT(stable)

const struct backend backend_stable = {
	.name = "stable",
	.about = "cgroup_skb and tracepoints, no probe on kernel functions",
	.hooks = hooks,
	.datagram_hooks = backend_stable_datagrams,
	.open = open_object,
	.describe = describe,
	.attach = attach,
	.free = free_object,
};
