// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_fentry.c - BPF trampolines on the functions of the receive path:
 * the table of hooks, and what bpf/fentry.bpf.c has to be told about this
 * kernel.
 */
#include "backend.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "caps.h"
#include "fentry.skel.h"
#include "kernel_btf.h"
#include "log.h"

static const struct hook hooks[] = {
	{ "on_match", "sk_filter_trim_cap", false, false, HOOK_NEEDED,
	  "the matched socket" },
	{ "on_request", "tcp_check_req", false, false, HOOK_PROOF,
	  "matched requests" },
	{ "on_timewait", "tcp_timewait_state_process", false, false, HOOK_PROOF,
	  "matched TIME_WAIT sockets" },
	{ "on_reset4", "tcp_v4_send_reset", false, false, HOOK_PROOF,
	  "segments that are nobody's" },
	{ "on_reset6", "tcp_v6_send_reset", false, false, HOOK_PROOF,
	  "the same for IPv6" },
	{ "on_drop", "kfree_skb", true, false, HOOK_EXTRA,
	  "segments dropped before a match" },
	{ "on_child", "tcp_child_process", false, false, HOOK_PROOF,
	  "the socket born of a segment" },
	{ "on_birth", "inet_csk_complete_hashdance", false, false, HOOK_EXTRA,
	  "a child's listener" },
	{ "on_queued", "inet_csk_reqsk_queue_add", false, false, HOOK_EXTRA,
	  "the same for SYN cookies and Fast Open" },
	{ "on_graft", "security_sock_graft", false, false, HOOK_EXTRA,
	  "accepted sockets, none missed, and their inodes" },
	{ "on_accept", "inet_csk_accept", false, false, HOOK_PROOF,
	  "accepted sockets and their listener" },
	{ "on_fd", "fd_install", false, false, HOOK_EXTRA,
	  "the descriptor of an accepted socket" },
	{ "on_fd_again", "fd_install", false, false, HOOK_EXTRA,
	  "the same, where the first was busy" },
	{ "on_listen", "inet_csk_listen_start", false, false, HOOK_EXTRA,
	  "new listeners" },
	{ "on_state", "inet_sock_set_state", true, false, HOOK_EXTRA,
	  "sockets that close" },
	{ "on_destroy", "tcp_v4_destroy_sock", false, false, HOOK_EXTRA,
	  "sockets whose memory goes back" },
	{ "on_segment4_done", "tcp_v4_rcv", false, false, HOOK_NEEDED,
	  "the end of each segment" },
	{ "on_segment6_done", "tcp_v6_rcv", false, false, HOOK_NEEDED,
	  "the same for IPv6" },
	{ "on_segment4", "tcp_v4_rcv", false, true, HOOK_NEEDED,
	  "each segment" },
	{ "on_segment6", "tcp_v6_rcv", false, true, HOOK_NEEDED,
	  "the same for IPv6" },
	{ 0 },
};

static struct bpf_program *program(struct backend_trace *trace,
				   const char *name)
{
	struct fentry_bpf *skel = trace->object;

	return bpf_object__find_program_by_name(skel->obj, name);
}

/* --- what this kernel is like -------------------------------------------------- */

static int func_args(const struct btf *btf, const char *func)
{
	int args = kernel_btf_func_args(btf, func);

	return args < 0 ? 0 : args;
}

static void describe_kernel(struct demux_config *config, const struct btf *btf)
{
	int drop_args = kernel_btf_tracepoint_args(btf, "kfree_skb");
	struct utsname kernel;
	uint32_t unused;

	config->drop_args = drop_args < 0 ? 0 : drop_args;
	config->filter_args = func_args(btf, "sk_filter_trim_cap");
	config->accept_args = func_args(btf, "inet_csk_accept");
	config->listen_args = func_args(btf, "inet_csk_listen_start");
	kernel_btf_enum(btf, "skb_drop_reason", "SKB_DROP_REASON_NO_SOCKET",
			&config->no_socket);
	kernel_btf_enum(btf, "skb_drop_reason", "SKB_DROP_REASON_TCP_CSUM",
			&config->bad_csum);
	/* Tracing programs may ask for a cookie since 5.12, c5dbb89fc2ac ("bpf:
	 * Expose bpf_get_socket_cookie to tracing programs"), which shows in no
	 * type; bpf_get_func_ret came a little later and does. */
	config->has_cookie = kernel_btf_enum(btf, "bpf_func_id",
					     "BPF_FUNC_get_func_ret", &unused);
	config->rt = !uname(&kernel) && strstr(kernel.version, "PREEMPT_RT");
}

static int choose_keys(struct demux_config *config)
{
	__u64 keys[2];

	if (getrandom(keys, sizeof(keys), 0) != sizeof(keys))
		return -EIO;
	config->id_xor = keys[0];
	config->id_mul = keys[1] | 1;
	return 0;
}

static bool is_without(const struct backend_wish *wish, const char *symbol)
{
	size_t len = strlen(symbol);
	const char *at = wish->without;

	for (; at && (at = strstr(at, symbol)); at += len)
		if ((at == wish->without || at[-1] == ',') &&
		    (!at[len] || at[len] == ','))
			return true;
	return false;
}

static bool exists(const struct btf *btf, const struct hook *hook)
{
	if (hook->is_tracepoint)
		return kernel_btf_tracepoint_args(btf, hook->symbol) >= 0;
	return kernel_btf_func_args(btf, hook->symbol) >= 0;
}

/* Only what this kernel has is shown to it. */
static int select_programs(struct backend_trace *trace, const struct btf *btf,
			   const struct backend_wish *wish, char *why,
			   size_t size)
{
	bool has_ipv6 = kernel_btf_func_args(btf, "tcp_v6_rcv") >= 0;

	for (int i = 0; hooks[i].program; i++) {
		const struct hook *hook = &hooks[i];
		bool left_out = is_without(wish, hook->symbol);

		if (exists(btf, hook) && !left_out)
			continue;
		trace->pointless[i] = !has_ipv6 && strstr(hook->symbol, "_v6_");
		if (hook->need == HOOK_NEEDED && !trace->pointless[i]) {
			snprintf(why, size, "%s %s, which gives %s",
				 left_out ? "--without leaves out" :
					    "this kernel's BTF has no",
				 hook->symbol, hook->gives);
			return -ENOENT;
		}
		bpf_program__set_autoload(program(trace, hook->program), false);
	}
	return 0;
}

/* --- load ---------------------------------------------------------------------- */

/* Before 5.11 maps count as locked memory, and -EPERM says there is too much
 * of it. */
static bool is_memory_locked(size_t ring_size)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, ring_size,
				NULL);

	if (fd < 0)
		return errno == EPERM;
	close(fd);
	return false;
}

static void explain_load(int err, size_t ring_size, char *why, size_t size)
{
	char missing[128];

	if (caps_missing(missing, sizeof(missing)))
		snprintf(why, size,
			 "this process lacks %s: run it as root, as with sudo",
			 missing);
	else if (err == -EPERM && is_memory_locked(ring_size))
		snprintf(why, size,
			 "the limit on locked memory is too low for the ring "
			 "buffer: raise it (ulimit -l unlimited), or add "
			 "CAP_SYS_RESOURCE");
	else if (err == -EPERM)
		snprintf(why, size,
			 "this kernel refuses BPF programs on its functions "
			 "(%s), though the privileges are there; a security "
			 "policy such as lockdown does that",
			 strerror(-err));
	else
		snprintf(why, size,
			 "this kernel refuses the BPF programs: %s (its own "
			 "words: -vv)",
			 strerror(-err));
}

/* --pid: what the process has open already. */
static void own_files(struct fentry_bpf *skel)
{
	struct bpf_link *link =
		bpf_program__attach_iter(skel->progs.on_file, NULL);
	char unused[64];
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;

	if (fd < 0)
		log_warn("the sockets that the process has already are not "
			 "known: %s",
			 strerror(errno));
	while (fd >= 0 && read(fd, unused, sizeof(unused)) > 0)
		;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

static int set_up(struct backend_trace *trace, struct fentry_bpf *skel,
		  const struct btf *btf, const struct backend_wish *wish,
		  char *why, size_t size)
{
	struct demux_config *config = (void *)&skel->rodata->config;
	int err;

	*config = *wish->wanted;
	config->wake_bytes = wish->ring_size / 8;
	describe_kernel(config, btf);
	err = choose_keys(config);
	if (err) {
		snprintf(why, size,
			 "no random numbers for the key of socket "
			 "ids");
		return err;
	}
	bpf_map__set_max_entries(skel->maps.cells, libbpf_num_possible_cpus());
	bpf_map__set_max_entries(skel->maps.ring, wish->ring_size);
	bpf_program__set_autoload(skel->progs.on_file, config->pid);
	return select_programs(trace, btf, wish, why, size);
}

static int load(struct backend_trace *trace, const struct backend_wish *wish,
		char *why, size_t size)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct fentry_bpf *skel = NULL;
	int err;

	if (!btf) {
		snprintf(why, size,
			 "this kernel has no BTF (/sys/kernel/btf/vmlinux): it "
			 "was built without CONFIG_DEBUG_INFO_BTF");
		return -ENOENT;
	}
	skel = fentry_bpf__open();
	if (!skel) {
		err = -errno;
		snprintf(why, size, "cannot open the BPF programs: %s",
			 strerror(-err));
		goto out;
	}
	trace->object = skel;
	err = set_up(trace, skel, btf, wish, why, size);
	if (err)
		goto out;
	err = fentry_bpf__load(skel);
	if (err) {
		explain_load(err, wish->ring_size, why, size);
		goto out;
	}
	if (wish->wanted->pid)
		own_files(skel);
	trace->ring_fd = bpf_map__fd(skel->maps.ring);
	trace->cells_fd = bpf_map__fd(skel->maps.cells);
	trace->accepting_fd = bpf_map__fd(skel->maps.accepting);
	trace->cell_size = bpf_map__value_size(skel->maps.cells);
out:
	btf__free(btf);
	if (err)
		fentry_bpf__destroy(skel);
	return err;
}

static void free_object(struct backend_trace *trace)
{
	fentry_bpf__destroy(trace->object);
}

const struct backend backend_fentry = {
	.name = "fentry",
	.hooks = hooks,
	.load = load,
	.program = program,
	.free = free_object,
};
