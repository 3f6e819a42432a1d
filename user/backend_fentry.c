// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_fentry.c - BPF trampolines on the functions of the receive path: the
 * table of hooks of bpf/fentry.bpf.c.
 */
#include "backend.h"
#include "backend_load.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "fentry.skel.h"

static const struct hook hooks[] = {
	{ "on_match", "sk_filter_trim_cap", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_NEEDED, "the matched socket" },
	{ "on_request", "tcp_check_req", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_PROOF, "matched requests" },
	{ "on_timewait", "tcp_timewait_state_process", HOOK_FENTRY, false,
	  MISS_SHOWS, HOOK_PROOF, "matched TIME_WAIT sockets" },
	{ "on_request_done", "tcp_check_req", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_EXTRA, "what became of a request" },
	{ "on_request_dropped", "inet_csk_reqsk_queue_drop_and_put",
	  HOOK_FENTRY, false, MISS_SHOWS, HOOK_EXTRA,
	  "requests whose listener has closed" },
	{ "on_request_made", "inet_csk_reqsk_queue_hash_add", HOOK_FENTRY,
	  false, MISS_DOUBT, HOOK_EXTRA, "what a listener did with a SYN" },
	{ "on_synack", "tcp_make_synack", HOOK_FENTRY, false, MISS_DOUBT,
	  HOOK_EXTRA, "SYN cookies" },
	{ "on_backlog", "tcp_add_backlog", HOOK_FENTRY, false, MISS_DOUBT,
	  HOOK_EXTRA, "segments that wait for a process" },
	{ "on_timewait_done", "tcp_timewait_state_process", HOOK_FENTRY, false,
	  MISS_SHOWS, HOOK_EXTRA, "what TIME_WAIT did" },
	{ "on_reset4", "tcp_v4_send_reset", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_PROOF, "segments that are nobody's" },
	{ "on_reset6", "tcp_v6_send_reset", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_PROOF, "the same for IPv6" },
	{ "on_drop", "kfree_skb", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "segments dropped before a match" },
	{ "on_group", "reuseport_select_sock", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_DETAIL, "the hash that a reuseport group was asked with" },
	{ "on_child", "tcp_child_process", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_PROOF, "the socket born of a segment" },
	{ "on_state", "inet_sock_set_state", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "sockets that close" },
	{ "on_state_again", "inet_sock_set_state", HOOK_TRACEPOINT, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same, where the first was busy" },
	{ "on_destroy", "tcp_destroy_sock", HOOK_TRACEPOINT, false, MISS_SHOWS,
	  HOOK_EXTRA, "sockets whose memory goes back" },
	{ "on_fd", "fd_install", HOOK_FENTRY, false, MISS_SHOWS, HOOK_EXTRA,
	  "the descriptor of an accepted socket" },
	{ "on_fd_again", "fd_install", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_EXTRA, "the same, where the first was busy" },
	{ "on_birth", "inet_csk_complete_hashdance", HOOK_FENTRY, false,
	  MISS_SHOWS, HOOK_EXTRA, "a child's listener" },
	{ "on_queued", "inet_csk_reqsk_queue_add", HOOK_FENTRY, false,
	  MISS_SHOWS, HOOK_EXTRA, "the same for SYN cookies and Fast Open" },
	{ "on_graft", "security_sock_graft", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_EXTRA, "accepted sockets, none missed, and their inodes" },
	{ "on_accept", "inet_csk_accept", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_PROOF, "accepted sockets and their listener" },
	{ "on_device", "sock_bindtoindex_locked", HOOK_FENTRY, false,
	  MISS_SHOWS, HOOK_EXTRA, "sockets that are bound to a device later" },
	{ "on_listen", "inet_csk_listen_start", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_EXTRA, "new listeners" },
	{ "on_segment4_done", "tcp_v4_rcv", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_NEEDED, "the end of each segment" },
	{ "on_segment6_done", "tcp_v6_rcv", HOOK_FENTRY, false, MISS_SHOWS,
	  HOOK_NEEDED, "the same for IPv6" },
	{ "on_segment4", "tcp_v4_rcv", HOOK_FENTRY, true, MISS_SEGMENT,
	  HOOK_NEEDED, "each segment" },
	{ "on_segment6", "tcp_v6_rcv", HOOK_FENTRY, true, MISS_SEGMENT,
	  HOOK_NEEDED, "the same for IPv6" },
	{ 0 },
};

BACKEND_OBJECT(fentry)

static int describe(struct backend_trace *trace, const struct btf *btf,
		    char *why, size_t size)
{
	(void)btf;
	(void)why;
	(void)size;
	backend_load_destructors(trace->config);
	return 0;
}

const struct backend backend_fentry = {
	.name = "fentry",
	.about = "BPF trampolines on the functions of the receive path",
	.hooks = hooks,
	.datagram_hooks = backend_fentry_datagrams,
	.open = open_object,
	.describe = describe,
	.free = free_object,
};
