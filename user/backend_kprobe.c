// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_kprobe.c - kprobes on the functions of the receive path: the table of
 * hooks of bpf/kprobe.bpf.c.
 *
 * The probes are perf events of this process. The kernel removes them with it,
 * however it ends; probes made through tracefs would stay.
 */
#include "backend.h"
#include "backend_event.h"
#include "backend_kprobe.h"
#include "backend_load.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kprobe.skel.h"

static const struct hook hooks[] = {
	{ "on_match", "sk_filter_trim_cap", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_NEEDED, "the matched socket" },
	{ "on_match_done", "sk_filter_trim_cap", HOOK_KRETPROBE, false,
	  MISS_DOUBT, HOOK_PROOF, "whether a filter refused the segment" },
	{ "on_request", "tcp_check_req", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_PROOF, "matched requests" },
	{ "on_timewait", "tcp_timewait_state_process", HOOK_KPROBE, false,
	  MISS_SHOWS, HOOK_PROOF, "matched TIME_WAIT sockets" },
	{ "on_request_done", "tcp_check_req", HOOK_KRETPROBE, false, MISS_SHOWS,
	  HOOK_EXTRA, "what became of a request" },
	{ "on_request_dropped", "inet_csk_reqsk_queue_drop_and_put",
	  HOOK_KPROBE, false, MISS_SHOWS, HOOK_EXTRA,
	  "requests whose listener has closed" },
	{ "on_request_made", "inet_csk_reqsk_queue_hash_add", HOOK_KPROBE,
	  false, MISS_DOUBT, HOOK_EXTRA, "what a listener did with a SYN" },
	{ "on_synack", "tcp_make_synack", HOOK_KPROBE, false, MISS_DOUBT,
	  HOOK_EXTRA, "SYN cookies" },
	{ "on_backlog", "tcp_add_backlog", HOOK_KRETPROBE, false, MISS_DOUBT,
	  HOOK_EXTRA, "segments that wait for a process" },
	{ "on_timewait_done", "tcp_timewait_state_process", HOOK_KRETPROBE,
	  false, MISS_SHOWS, HOOK_EXTRA, "what TIME_WAIT did" },
	{ "on_reset4", "tcp_v4_send_reset", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_PROOF, "segments that are nobody's" },
	{ "on_reset6", "tcp_v6_send_reset", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_PROOF, "the same for IPv6" },
	{ "on_drop", "kfree_skb", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "segments dropped before a match" },
	{ "on_group", "reuseport_select_sock", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_DETAIL, "the hash that a reuseport group was asked with" },
	{ "on_child", "tcp_child_process", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_PROOF, "the socket born of a segment" },
	{ "on_state", "inet_sock_set_state", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "sockets that close" },
	{ "on_state_again", "inet_sock_set_state", HOOK_TRACEPOINT, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same, where the first was busy" },
	{ "on_destroy", "tcp_destroy_sock", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "sockets whose memory goes back" },
	{ "on_fd", "fd_install", HOOK_KPROBE, false, MISS_SHOWS, HOOK_EXTRA,
	  "the descriptor of an accepted socket" },
	{ "on_birth", "inet_csk_complete_hashdance", HOOK_KPROBE, false,
	  MISS_SHOWS, HOOK_EXTRA, "a child's listener" },
	{ "on_queued", "inet_csk_reqsk_queue_add", HOOK_KPROBE, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same for SYN cookies and Fast Open" },
	{ "on_graft", "security_sock_graft", HOOK_KPROBE, false, MISS_DOUBT,
	  HOOK_PROOF, "accepted sockets and their inodes" },
	{ "on_accept", "inet_csk_accept", HOOK_KRETPROBE, false, MISS_SHOWS,
	  HOOK_EXTRA, "accepted sockets, where there is no graft" },
	{ "on_accept_call", "inet_csk_accept", HOOK_KPROBE, false, MISS_SHOWS,
	  HOOK_EXTRA, "the listener that accept() was called on" },
	{ "on_device", "sock_bindtoindex_locked", HOOK_KRETPROBE, false,
	  MISS_SHOWS, HOOK_EXTRA, "sockets that are bound to a device later" },
	{ "on_device_call", "sock_bindtoindex_locked", HOOK_KPROBE, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same" },
	{ "on_listen", "inet_csk_listen_start", HOOK_KRETPROBE, false,
	  MISS_SHOWS, HOOK_EXTRA, "new listeners" },
	{ "on_listen_call", "inet_csk_listen_start", HOOK_KPROBE, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same" },
	{ "on_segment4_done", "tcp_v4_rcv", HOOK_KRETPROBE, false, MISS_SHOWS,
	  HOOK_NEEDED, "the end of each segment" },
	{ "on_segment6_done", "tcp_v6_rcv", HOOK_KRETPROBE, false, MISS_SHOWS,
	  HOOK_NEEDED, "the same for IPv6" },
	{ "on_segment4", "tcp_v4_rcv", HOOK_KPROBE, true, MISS_SEGMENT,
	  HOOK_NEEDED, "each segment" },
	{ "on_segment6", "tcp_v6_rcv", HOOK_KPROBE, true, MISS_SEGMENT,
	  HOOK_NEEDED, "the same for IPv6" },
	{ 0 },
};

#define SYSFS "/sys/bus/event_source/devices/kprobe/"

/* The number in a file of sysfs, or -errno. */
static int read_number(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	int number = -EINVAL;

	if (!file)
		return -errno;
	if (fscanf(file, format, &number) != 1)
		number = -EINVAL;
	fclose(file);
	return number;
}

int backend_kprobe_open(const struct hook *hook)
{
	int type = read_number(SYSFS "type", "%d");
	int bit = read_number(SYSFS "format/retprobe", "config:%d");
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.kprobe_func = (__u64)(unsigned long)hook->symbol,
	};
	int fd;

	if (type < 0)
		return type;
	if (bit < 0)
		return bit;
	if (hook->kind == HOOK_KRETPROBE)
		attr.config = 1ull << bit;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1,
		     PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static struct bpf_link *attach(struct backend_trace *trace, int hook,
			       struct bpf_program *program)
{
	const struct hook *of = trace->hooks[hook];
	struct bpf_link *link;
	int fd;

	if (of->kind == HOOK_TRACEPOINT)
		return bpf_program__attach(program);
	fd = backend_kprobe_open(of);
	link = backend_event_link(program, fd);
	if (link)
		trace->probe_fds[hook] = fd;
	return link;
}

static int describe(struct backend_trace *trace, const struct btf *btf,
		    char *why, size_t size)
{
	int type = read_number(SYSFS "type", "%d");

	(void)btf;
	backend_load_destructors(trace->config);
	if (type >= 0)
		return 0;
	snprintf(why, size,
		 "this kernel has no kprobes: " SYSFS " is not there "
		 "(CONFIG_KPROBE_EVENTS, /sys mounted)");
	return type;
}

BACKEND_OBJECT(kprobe)

const struct backend backend_kprobe = {
	.name = "kprobe",
	.about = "kprobes on the functions of the receive path",
	.hooks = hooks,
	.datagram_hooks = backend_kprobe_datagrams,
	.open = open_object,
	.describe = describe,
	.attach = attach,
	.free = free_object,
};
