// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_load.c - shows a backend's programs to the kernel: only those that it
 * has hooks for, told what it is like.
 */
#include "backend_load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "caps.h"
#include "classify.h"
#include "kernel_btf.h"
#include "kernel_symbols.h"
#include "log.h"

/* --- what this kernel is like ---------------------------------------------- */

static int func_args(const struct btf *btf, const char *func)
{
	int args = kernel_btf_func_args(btf, func);

	return args < 0 ? 0 : args;
}

/* What says that a socket would not have it. */
static void find_refusals(struct demux_config *config, const struct btf *btf)
{
	static const char *const names[] = { "SKB_DROP_REASON_SOCKET_FILTER",
					     "SKB_DROP_REASON_SECURITY_HOOK",
					     "SKB_DROP_REASON_PFMEMALLOC",
					     "SKB_DROP_REASON_XFRM_POLICY" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		kernel_btf_enum(btf, "skb_drop_reason", names[i],
				&config->refusals[i]);
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
	config->backlog_args = func_args(btf, "tcp_add_backlog");
	config->request_args = func_args(btf, "tcp_check_req");
	config->timewait_args = func_args(btf, "tcp_timewait_state_process");
	kernel_btf_enum(btf, "skb_drop_reason", "SKB_DROP_REASON_NO_SOCKET",
			&config->no_socket);
	kernel_btf_enum(btf, "skb_drop_reason", "SKB_DROP_REASON_NOT_SPECIFIED",
			&config->not_specified);
	kernel_btf_enum(btf, "skb_drop_reason", "SKB_DROP_REASON_TCP_CSUM",
			&config->bad_csum);
	kernel_btf_enum(btf, "skb_drop_reason", "SKB_DROP_REASON_UDP_CSUM",
			&config->bad_datagram);
	find_refusals(config, btf);
	/* Tracing programs may ask for a cookie since 5.12, c5dbb89fc2ac ("bpf:
	 * Expose bpf_get_socket_cookie to tracing programs"), which shows in no
	 * type; bpf_get_func_ret came a little later and does. */
	config->has_cookie = kernel_btf_enum(btf, "bpf_func_id",
					     "BPF_FUNC_get_func_ret", &unused);
	config->rt = !uname(&kernel) && strstr(kernel.version, "PREEMPT_RT");
}

void backend_load_destructors(struct demux_config *config)
{
	static const char *const names[] = { "sock_edemux", "sock_pfree",
					     "sock_efree" };
	uint64_t begins[3];

	kernel_symbols_find(names, 3, begins);
	config->sock_edemux = begins[0];
	config->sock_pfree = begins[1];
	config->sock_efree = begins[2];
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

static bool exists(const struct btf *btf, const struct hook *hook)
{
	switch (hook->kind) {
	case HOOK_TRACEPOINT:
		return kernel_btf_tracepoint_args(btf, hook->symbol) >= 0;
	case HOOK_CGROUP:
		return true;
	case HOOK_EVENT: /* it came with such tracepoints, and BTF has no more */
		return kernel_btf_has_struct(btf, "tracepoint_ext");
	default:
		return kernel_btf_func_args(btf, hook->symbol) >= 0;
	}
}

/* What is not known without a hook on @symbol: where it is one of several that
 * tell by their silence. */
static uint8_t blind_without(const char *symbol)
{
	static const struct {
		const char *symbol;
		uint8_t blind;
	} silent[] = {
		{ "tcp_add_backlog", BLIND_BACKLOG },
		{ "inet_csk_reqsk_queue_hash_add", BLIND_SYN },
		{ "tcp_make_synack", BLIND_SYN },
		{ "tcp_v4_send_reset", BLIND_RESET },
		{ "tcp_v6_send_reset", BLIND_RESET },
		{ "tcp_send_reset", BLIND_RESET },
	};

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (!strcmp(symbol, silent[i].symbol))
			return silent[i].blind;
	return 0;
}

static void set_autoload(struct backend_trace *trace, const char *name, bool on)
{
	bpf_program__set_autoload(
		bpf_object__find_program_by_name(trace->object, name), on);
}

static void leave_out_all(struct backend_trace *trace, const struct hook *hook)
{
	for (; hook->program; hook++)
		set_autoload(trace, hook->program, false);
}

static bool is_ipv6(const char *symbol)
{
	return strstr(symbol, "_v6_") || strstr(symbol, "udpv6_") ||
	       strstr(symbol, "icmp6_");
}

/* Only what this kernel has, and what was asked for, is shown to it. */
static int select_programs(struct backend_trace *trace, const struct btf *btf,
			   const struct backend_wish *wish, char *why,
			   size_t size)
{
	bool has_ipv6 = kernel_btf_func_args(btf, "tcp_v6_rcv") >= 0;
	int err = 0;

	leave_out_all(trace, trace->backend->hooks);
	leave_out_all(trace, trace->backend->datagram_hooks);
	for (int i = 0; trace->hooks[i]; i++) {
		const struct hook *hook = trace->hooks[i];
		bool left_out = backend_is_without(wish->without, hook->symbol);
		bool asked_for = hook->need != HOOK_DETAIL ||
				 trace->config->detail;

		if (exists(btf, hook) && !left_out && asked_for) {
			set_autoload(trace, hook->program, true);
			trace->config->has_graft |=
				!strcmp(hook->symbol, "security_sock_graft");
			continue;
		}
		trace->errors[i] = left_out ? -ECANCELED : -ENOENT;
		trace->pointless[i] = !asked_for || hook->kind == HOOK_EVENT ||
				      (!has_ipv6 && is_ipv6(hook->symbol));
		if (!trace->pointless[i])
			trace->config->blind |= blind_without(hook->symbol);
		if (hook->need == HOOK_NEEDED && !trace->pointless[i] && !err) {
			err = -ENOENT;
			snprintf(why, size, "%s %s, which gives %s",
				 left_out ? "--without leaves out" :
					    "this kernel's BTF has no",
				 hook->symbol, hook->gives);
		}
	}
	return err;
}

/* --- load -------------------------------------------------------------------- */

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
	if (err == -EPERM && is_memory_locked(ring_size))
		snprintf(why, size,
			 "the limit on locked memory is too low for the ring "
			 "buffer: raise it (ulimit -l unlimited), or add "
			 "CAP_SYS_RESOURCE");
	else if (err == -EPERM)
		snprintf(why, size,
			 "this kernel refuses BPF programs on its functions "
			 "(%s), though the privileges are there: a security "
			 "policy, or the way it was built (sockdemux-trace "
			 "doctor says more)",
			 strerror(-err));
	else
		snprintf(why, size,
			 "this kernel refuses the BPF programs: %s (its own "
			 "words: -vv)",
			 strerror(-err));
}

static void set_entries(struct backend_trace *trace, const char *name,
			size_t entries)
{
	bpf_map__set_max_entries(
		bpf_object__find_map_by_name(trace->object, name), entries);
}

static int set_up(struct backend_trace *trace, const struct btf *btf,
		  const struct backend_wish *wish, char *why, size_t size)
{
	struct demux_config *config = trace->config;
	int err;

	*config = *wish->wanted;
	config->wake_bytes = wish->ring_size / 8;
	config->cpus = libbpf_num_possible_cpus();
	describe_kernel(config, btf);
	err = choose_keys(config);
	if (err) {
		snprintf(why, size,
			 "no random numbers for the key of socket "
			 "ids");
		return err;
	}
	set_entries(trace, "cells", config->cpus);
	set_entries(trace, "ring", wish->ring_size);
	set_autoload(trace, "on_owned_file", config->pid);
	set_autoload(trace, "on_fork", config->follow);
	set_autoload(trace, "on_exit", config->follow);
	/* Without memory for them, they are not named. */
	kernel_btf_names(btf, "skb_drop_reason", "SKB_DROP_REASON_",
			 trace->reasons, BACKEND_REASONS_MAX);
	err = select_programs(trace, btf, wish, why, size);
	if (!err && trace->backend->describe)
		err = trace->backend->describe(trace, btf, why, size);
	return err;
}

int backend_load(struct backend_trace *trace, const struct backend_wish *wish,
		 char *why, size_t size)
{
	struct btf *btf = btf__load_vmlinux_btf();
	char missing[128];
	int err;

	if (!btf) {
		snprintf(why, size,
			 "this kernel has no BTF (/sys/kernel/btf/vmlinux): it "
			 "was built without CONFIG_DEBUG_INFO_BTF");
		return -ENOENT;
	}
	err = trace->backend->open(trace);
	if (err)
		snprintf(why, size, "cannot open the BPF programs: %s",
			 strerror(-err));
	else
		err = set_up(trace, btf, wish, why, size);
	if (!err) {
		err = bpf_object__load(trace->object);
		if (err)
			explain_load(err, wish->ring_size, why, size);
	}
	/* Whatever it was that failed: this comes first. */
	if (err && caps_missing(missing, sizeof(missing)))
		snprintf(why, size,
			 "this process lacks %s: run it as root, as with sudo",
			 missing);
	btf__free(btf);
	return err;
}

/* --- what all backends have beside their hooks ------------------------------- */

/* An iterator of that program, or -errno. */
static int open_iterator(struct backend_trace *trace, const char *name)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(trace->object, name);
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno;

	bpf_link__destroy(link);
	return fd < 0 ? -errno : fd;
}

/* --pid: what the process has open already. */
static void own_files(struct backend_trace *trace)
{
	int fd = open_iterator(trace, "on_owned_file");
	char unused[64];

	if (fd < 0) {
		log_warn("the sockets that the process has already are not "
			 "known: %s",
			 strerror(-fd));
		return;
	}
	while (read(fd, unused, sizeof(unused)) > 0)
		;
	close(fd);
}

static void follow(struct backend_trace *trace, int place, const char *name)
{
	trace->own_links[place] = bpf_program__attach(
		bpf_object__find_program_by_name(trace->object, name));
	if (!trace->own_links[place])
		log_warn("the processes that it starts are not followed: %s",
			 strerror(errno));
}

void backend_load_finish(struct backend_trace *trace)
{
	if (trace->config->follow) {
		follow(trace, 0, "on_fork");
		follow(trace, 1, "on_exit");
	}
	if (trace->config->pid)
		own_files(trace);
	while (trace->spare_count < BACKEND_SPARES_MAX) {
		int fd = open_iterator(trace, "on_missed_file");

		if (fd < 0) {
			log_info("descriptors that accept's hooks miss are not "
				 "looked for: %s",
				 strerror(-fd));
			break;
		}
		trace->spares[trace->spare_count++] = fd;
	}
}
