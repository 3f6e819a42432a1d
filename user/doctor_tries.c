// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_tries.c - what the kernel lets BPF do, which shows when it is tried, in
 * small. Nothing of it stays. For doctor_checks.c.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend_kprobe.h"
#include "caps.h"
#include "doctor_looks.h"

/* What all three backends have to do with. */
#define FUNCTION "tcp_v4_rcv"

static enum doctor_state refused(struct doctor_check *check, int err,
				 const char *meaning)
{
	snprintf(check->value, sizeof(check->value), "refused: %s",
		 doctor_error(err));
	check->meaning = meaning;
	return DOCTOR_BAD;
}

/* --- BPF ----------------------------------------------------------------------- */

static struct btf *kernel_types;

enum doctor_state doctor_tries_btf(struct doctor_check *check)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	int err;

	kernel_types = btf__load_vmlinux_btf();
	err = errno;
	if (!kernel_types) {
		if (access(path, R_OK))
			err = errno;
		snprintf(check->value, sizeof(check->value), "%s: %s", path,
			 doctor_error(-err));
		return DOCTOR_BAD;
	}
	snprintf(check->value, sizeof(check->value), "%u types%s",
		 btf__type_cnt(kernel_types),
		 access(path, R_OK) ? ", not from /sys/kernel/btf" : "");
	return DOCTOR_GOOD;
}

/* Loads a program that reads kernel memory, and does nothing else. 0 or
 * -errno. */
static int load_reader(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K,
		  .dst_reg = BPF_REG_1,
		  .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_2,
		  .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL,
		  .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "doctor", "GPL",
			       insns, sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

enum doctor_state doctor_tries_program(struct doctor_check *check)
{
	int err = load_reader();
	char missing[128];

	if (!err) {
		strcpy(check->value, "a small program can be loaded, and may "
				     "read the kernel's memory");
		return DOCTOR_GOOD;
	}
	if (caps_missing(missing, sizeof(missing)))
		return refused(check, err, "as capabilities are missing");
	if (err == -EINVAL)
		return refused(check, err,
			       "BPF programs must not read the kernel's "
			       "memory, as lockdown forbids it");
	if (err == -ENOSYS)
		return refused(check, err,
			       "this kernel was built without BPF, or a filter "
			       "of system calls hides it");
	check->help = "the system log (dmesg, audit) may name what refuses it";
	return refused(check, err,
		       "even a small BPF program is refused, though the "
		       "capabilities are there: by a filter of system calls, "
		       "or a security policy");
}

enum doctor_state doctor_tries_seccomp(struct doctor_check *check)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int mode = -1;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			break;
	if (status)
		fclose(status);
	if (mode < 0) {
		check->meaning = "/proc/self/status does not tell";
		return DOCTOR_UNKNOWN;
	}
	strcpy(check->value, mode ? "a filter of system calls is set" : "none");
	return !mode || !load_reader() ? DOCTOR_GOOD : DOCTOR_BAD;
}

/* --- trampolines ----------------------------------------------------------------- */

/* Hooks a function with a program that does nothing. 0 or -errno; in @loaded
 * how far it came. */
static int hook_function(bool *loaded)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_FENTRY);
	int id = kernel_types ? btf__find_by_name_kind(kernel_types, FUNCTION,
						       BTF_KIND_FUNC) :
				-ENOENT;
	int program, link, err = 0;

	*loaded = false;
	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "doctor", "GPL", insns,
				2, &opts);
	if (program < 0)
		return -errno;
	*loaded = true;
	link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		err = -errno;
	else
		close(link);
	close(program);
	return err;
}

enum doctor_state doctor_tries_trampoline(struct doctor_check *check)
{
	bool loaded;
	int err = hook_function(&loaded);

	if (!err) {
		strcpy(check->value, FUNCTION " can be hooked");
		return DOCTOR_GOOD;
	}
	if (load_reader()) {
		check->meaning =
			"cannot be tried: all BPF programs are refused";
		return DOCTOR_UNKNOWN;
	}
	if (err == -ENOENT) {
		check->meaning =
			"cannot be tried: BTF does not tell where " FUNCTION
			" is";
		return DOCTOR_UNKNOWN;
	}
	if (err == -EPERM || err == -EACCES) {
		check->help = "only who provides the kernel can allow it; "
			      "the other backends do without";
		return refused(check, err,
			       "this kernel refuses every BPF program on its "
			       "functions, though it loads others: a security "
			       "policy, or the way it was built");
	}
	check->help = "the other backends do without";
	return refused(check, err,
		       loaded ? "this kernel has no BPF trampolines for this "
				"architecture, or was built without them" :
				"this kernel takes no BPF programs on its "
				"functions");
}

/* --- kprobes --------------------------------------------------------------------- */

static int probe_function(void)
{
	const struct hook hook = { .symbol = FUNCTION, .kind = HOOK_KPROBE };
	int fd = backend_kprobe_open(&hook);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Above 2 is what distributions have added: who lacks CAP_SYS_ADMIN gets no
 * perf event at all. */
static bool is_too_paranoid(int err, const char *paranoid)
{
	return (err == -EACCES || err == -EPERM) && atoi(paranoid) > 2 &&
	       !(caps_effective() & 1ull << CAP_SYS_ADMIN);
}

static int read_paranoid(char *value, size_t size)
{
	return doctor_facts_read("/proc/sys/kernel/perf_event_paranoid", value,
				 size);
}

static enum doctor_state refused_kprobe(struct doctor_check *check, int err)
{
	char missing[128], paranoid[16];

	check->help = "the other backends do without";
	if (err != -EPERM && err != -EACCES)
		return refused(check, err,
			       "the kernel does not probe " FUNCTION);
	if (caps_missing(missing, sizeof(missing)))
		return refused(check, err, "as capabilities are missing");
	if (!read_paranoid(paranoid, sizeof(paranoid)) &&
	    is_too_paranoid(err, paranoid)) {
		check->help = "sysctl kernel.perf_event_paranoid=2, or "
			      "CAP_SYS_ADMIN";
		return refused(check, err,
			       "kernel.perf_event_paranoid is above 2, which "
			       "forbids it without CAP_SYS_ADMIN");
	}
	return refused(check, err,
		       "a security policy, such as lockdown, forbids it");
}

enum doctor_state doctor_tries_kprobe(struct doctor_check *check)
{
	int err = probe_function();

	if (!err) {
		strcpy(check->value, FUNCTION " can be probed");
		return DOCTOR_GOOD;
	}
	if (access("/sys/bus/event_source/devices/software", F_OK)) {
		check->meaning = "/sys/bus/event_source, by which kprobes are "
				 "made, is not there";
		check->help = "mount -t sysfs sysfs /sys; in a container, the "
			      "host's";
		return DOCTOR_BAD;
	}
	if (access("/sys/bus/event_source/devices/kprobe", F_OK)) {
		strcpy(check->value, "none");
		check->meaning = "this kernel was built without kprobes";
		check->help = "a kernel with CONFIG_KPROBE_EVENTS=y; the other "
			      "backends do without";
		return DOCTOR_BAD;
	}
	return refused_kprobe(check, err);
}

enum doctor_state doctor_tries_paranoid(struct doctor_check *check)
{
	if (read_paranoid(check->value, sizeof(check->value))) {
		check->value[0] = '\0';
		check->meaning = "it cannot be read";
		return DOCTOR_UNKNOWN;
	}
	if (is_too_paranoid(probe_function(), check->value))
		return DOCTOR_BAD;
	check->meaning = "not in the way";
	return DOCTOR_GOOD;
}
