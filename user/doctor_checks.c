// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_checks.c - the facts that decide whether this machine can be traced:
 * the table, in the order in which they are looked at and shown.
 */
#include "doctor_looks.h"

/* The first that is bad is taken as the reason why a backend does not work, so
 * what lies deeper comes first. meaning and help are for what is not good. */
static const struct doctor_check table[] = {
	{ .name = "kernel",
	  .look = doctor_facts_kernel,
	  .meaning = "the tool was never tested on this architecture" },
	{ .name = "container", .look = doctor_facts_container },
	{ .name = "capabilities", .look = doctor_facts_privileges },
	{ .name = "unprivileged_bpf_disabled",
	  .look = doctor_facts_unprivileged },
	{ .name = "memlock",
	  .look = doctor_limits_memlock,
	  .meaning = "in this kernel BPF maps count as locked memory, and the "
		     "limit is too low for them",
	  .help = "raise the limit (ulimit -l unlimited), or add "
		  "CAP_SYS_RESOURCE, with which the tool raises it itself" },
	{ .name = "btf",
	  .look = doctor_tries_btf,
	  .meaning = "the kernel's description of its own types (BTF), which "
		     "all programs are fitted to, cannot be read",
	  .help = "a kernel built with CONFIG_DEBUG_INFO_BTF=y; in a container, "
		  "the host's /sys" },
	{ .name = "lockdown",
	  .look = doctor_facts_lockdown,
	  .meaning = "the kernel is locked down so far that BPF must not read "
		     "its memory, and no function can be probed",
	  .help = "boot without lockdown=confidentiality; in this mode nothing "
		  "can trace" },
	{ .name = "bpf", .look = doctor_tries_program },
	{ .name = "seccomp",
	  .look = doctor_tries_seccomp,
	  .meaning =
		  "a filter of system calls is on this process, as container "
		  "runtimes set it; it may be what refuses BPF",
	  .help = "a profile that allows bpf and perf_event_open; docker: "
		  "--security-opt seccomp=unconfined" },
	{ .name = "trampolines",
	  .look = doctor_tries_trampoline,
	  .of = &backend_fentry },
	{ .name = "kprobes",
	  .look = doctor_tries_kprobe,
	  .of = &backend_kprobe },
	{ .name = "perf_event_paranoid",
	  .look = doctor_tries_paranoid,
	  .of = &backend_kprobe,
	  .meaning = "without CAP_SYS_ADMIN it forbids kprobes",
	  .help = "sysctl kernel.perf_event_paranoid=2, or CAP_SYS_ADMIN" },
	{ .name = "kallsyms",
	  .look = doctor_limits_symbols,
	  .of = &backend_stable,
	  .meaning = "/proc/kallsyms does not show where tcp_v4_rcv lies, so "
		     "what it drops cannot be told from other drops" },
	{ .name = "kptr_restrict",
	  .look = doctor_limits_kptr,
	  .of = &backend_stable },
	{ .name = "cgroup_v2",
	  .look = doctor_facts_cgroup,
	  .of = &backend_stable },
	{ .name = "ring_buffer",
	  .look = doctor_limits_ring,
	  .meaning =
		  "the kernel does not give the usual 16 MiB, in which segments "
		  "wait for the tool",
	  .help = "--buffer-size with one that fits; or more memory, in a "
		  "container: for its cgroup" },
};

_Static_assert(sizeof(table) / sizeof(table[0]) <= DOCTOR_CHECKS_MAX,
	       "the report has no room for all checks");

void doctor_checks(struct doctor_report *report)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct doctor_check *check =
			&report->checks[report->check_count++];

		*check = table[i];
		check->meaning = check->help = NULL;
		check->state = check->look(check);
		if (check->state != DOCTOR_LESS && check->state != DOCTOR_BAD)
			continue;
		check->meaning = check->meaning ?: table[i].meaning;
		check->help = check->help ?: table[i].help;
	}
}
