// SPDX-License-Identifier: GPL-2.0-only
/*
 * sandbox.c - gives up what the work that follows has no use for: capabilities
 * and system calls. Knows no stage.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* LeakSanitizer stops the program and looks through it at its end, with system
 * calls that nothing else here makes. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

/* One system call; if mask is not 0, only where (argument & mask) == value. */
struct permit {
	int call;
	unsigned int arg;
	uint64_t mask, value;
};

#define COUNT(permits) (sizeof(permits) / sizeof((permits)[0]))
/* The kernel looks at the lower half of a register that holds an int. */
#define INT UINT32_MAX

/* A name that an architecture does not have is passed over for it: poll() is
 * ppoll on arm64. */
static const struct permit always[] = {
	/* the loop: source, outputs, words */
	{ .call = SCMP_SYS(poll) },
	{ .call = SCMP_SYS(ppoll) },
	{ .call = SCMP_SYS(read) },
	{ .call = SCMP_SYS(write) },
	{ .call = SCMP_SYS(ftruncate) },
	{ .call = SCMP_SYS(close) },
	{ .call = SCMP_SYS(clock_gettime) }, /* where the vdso has no clock */
	/* memory, but none that holds code */
	{ .call = SCMP_SYS(brk) },
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ .call = SCMP_SYS(mremap) },
	{ .call = SCMP_SYS(munmap) },
	{ .call = SCMP_SYS(madvise) },
	/* signals, and what they and a stop had interrupted */
	{ .call = SCMP_SYS(rt_sigreturn) },
	{ .call = SCMP_SYS(restart_syscall) },
	/* abort(), for a bug must look like one */
	{ .call = SCMP_SYS(writev) },
	{ .call = SCMP_SYS(rt_sigprocmask) },
	{ .call = SCMP_SYS(rt_sigaction) },
	{ .call = SCMP_SYS(getpid) },
	{ .call = SCMP_SYS(gettid) },
	/* locks inside the C library */
	{ SCMP_SYS(futex), 1, FUTEX_CMD_MASK &INT, FUTEX_WAIT },
	{ SCMP_SYS(futex), 1, FUTEX_CMD_MASK &INT, FUTEX_WAKE },
	/* the end */
	{ .call = SCMP_SYS(exit) },
	{ .call = SCMP_SYS(exit_group) },
};

static const struct permit live[] = {
	{ SCMP_SYS(bpf), 0, INT, BPF_OBJ_GET_INFO_BY_FD },
	{ SCMP_SYS(ioctl), 1, INT, PERF_EVENT_IOC_DISABLE },
};

static int allow(scmp_filter_ctx filter, const struct permit *permits,
		 size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		const struct permit *permit = &permits[i];
		struct scmp_arg_cmp arg = { permit->arg, SCMP_CMP_MASKED_EQ,
					    permit->mask, permit->value };

		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
					     permit->call, !!permit->mask,
					     &arg);
	}
	return err;
}

static int load(scmp_filter_ctx filter, const struct sandbox_needs *needs)
{
	const struct permit self[] = {
		{ SCMP_SYS(tgkill), 0, INT, getpid() }, /* abort() */
	};
	const struct permit child[] = {
		{ .call = SCMP_SYS(wait4) },
		{ .call = SCMP_SYS(waitid) },
		{ SCMP_SYS(kill), 0, INT, needs->child },
	};
	int err;

	/* Another architecture's numbers mean other system calls. */
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
			       SCMP_ACT_KILL_PROCESS);
	err = err ?: seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	err = err ?: allow(filter, always, COUNT(always));
	err = err ?: allow(filter, self, COUNT(self));
	if (needs->live)
		err = err ?: allow(filter, live, COUNT(live));
	if (needs->child)
		err = err ?: allow(filter, child, COUNT(child));
	return err ?: seccomp_load(filter);
}

static bool has_filters(void)
{
	/* EFAULT, since there is no filter at NULL, where there could be one. */
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) ||
	       errno != EINVAL;
}

static int filter_calls(const struct sandbox_needs *needs)
{
	scmp_filter_ctx filter;
	int err;

	if (SANITIZED) {
		log_info("built with sanitizers, which need many system calls: "
			 "none is forbidden");
		return 0;
	}
	if (!has_filters()) {
		log_warn("this kernel has no seccomp filters: no system call "
			 "is forbidden, but capabilities are given up");
		return 0;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	err = filter ? load(filter, needs) : -EOPNOTSUPP;
	seccomp_release(filter);
	if (err)
		log_error("cannot forbid system calls: %s; --no-sandbox goes "
			  "on with all",
			  strerror(-err));
	return err;
}

static int drop_capabilities(void)
{
	/* The bounding set first: that takes CAP_SETPCAP. Without it the set
	 * stays, and means nothing any more, after no_new_privs. */
	capng_clear(CAPNG_SELECT_BOTH);
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	/* The kernel keeps the ambient set within the permitted one. */
	capng_clear(CAPNG_SELECT_CAPS);
	if (!capng_apply(CAPNG_SELECT_CAPS) &&
	    !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 0;
	log_error("cannot give up privileges: %s; --no-sandbox goes on with "
		  "them",
		  strerror(errno));
	return -EPERM;
}

static int compare_nothing(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

/* What the C library asks the system for once, at first use. */
static void settle_libc(void)
{
	char many[2048];

	tzset(); /* the file of the time zone */
	/* glibc: before 2.37 sorting more than 1 KB asks how much memory there
	 * is, before 2.35 by a file of /proc. */
	memset(many, 0, sizeof(many));
	qsort(many, sizeof(many), 1, compare_nothing);
}

int sandbox_enter(const struct sandbox_needs *needs)
{
	int err;

	settle_libc();
	err = drop_capabilities();
	return err ?: filter_calls(needs);
}
