// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_sandbox.c - user/sandbox.c: what is forbidden kills, what is needed does
 * not, and no capability is left.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "in_sandbox.h"

static struct sandbox_needs replay, live = { .live = true };

/* --- system calls --------------------------------------------------------- */

struct call {
	const char *name;
	const struct sandbox_needs *needs;
	long number, args[6];
};

static void make_call(const void *context)
{
	const struct call *call = context;
	const long *args = call->args;

	enter(call->needs);
	syscall(call->number, args[0], args[1], args[2], args[3], args[4],
		args[5]);
}

#define KILLS(name, needs, ...)           \
	{                                 \
#name, needs, SYS_##name, \
		{                         \
			__VA_ARGS__       \
		}                         \
	}

static void test_forbidden(void **state)
{
	const struct sandbox_needs child = { .child = getpid() };
	const struct call calls[] = {
		KILLS(socket, &live, AF_INET, SOCK_STREAM, 0),
		KILLS(connect, &live, 0, 0, 0),
		KILLS(sendto, &live, 0, 0, 0, 0, 0, 0),
		KILLS(openat, &live, AT_FDCWD, (long)"/dev/null", O_RDONLY),
		KILLS(execve, &live, (long)"/bin/true", 0, 0),
		KILLS(clone, &live, SIGCHLD, 0, 0, 0, 0),
		KILLS(ptrace, &live, 0, 0, 0, 0),
		KILLS(process_vm_readv, &live, 0, 0, 0, 0, 0, 0),
		KILLS(kill, &live, getpid(), 0),
		KILLS(tgkill, &live, getpid(), getpid(), 0),
		KILLS(wait4, &live, -1, 0, WNOHANG, 0),
		KILLS(prctl, &live, PR_GET_SECCOMP, 0, 0, 0, 0),
		KILLS(seccomp, &live, 0, 0, 0),
		KILLS(setuid, &live, 0),
		KILLS(capset, &live, 0, 0),
		KILLS(unlinkat, &live, AT_FDCWD, (long)"/no/such", 0),
		KILLS(dup, &live, 0),
		KILLS(sysinfo, &live, 0),
		KILLS(mprotect, &live, 0, 0, PROT_READ),
		KILLS(mmap, &live, 0, 4096, PROT_READ | PROT_EXEC,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		KILLS(futex, &live, 0, FUTEX_LOCK_PI, 0, 0, 0, 0),
		KILLS(futex, &live, 0, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, 0, 0),
		KILLS(ioctl, &live, 0, TIOCSTI, 0),
		KILLS(ioctl, &live, 0, PERF_EVENT_IOC_SET_BPF, 0),
		KILLS(ioctl, &replay, 0, PERF_EVENT_IOC_DISABLE, 0),
		KILLS(bpf, &live, BPF_MAP_CREATE, 0, 0),
		KILLS(bpf, &live, BPF_PROG_GET_FD_BY_ID, 0, 0),
		KILLS(bpf, &replay, BPF_OBJ_GET_INFO_BY_FD, 0, 0),
		/* A child of one's own may get signals, others may not. */
		KILLS(kill, &child, getppid(), 0),
		KILLS(kill, &child, -getpid(), 0),
		KILLS(execve, &child, (long)"/bin/true", 0, 0),
#ifdef __x86_64__
		{ "x32 getpid", &live, 0x40000000 | SYS_getpid, { 0 } },
#endif
	};

	(void)state;
	skip_if_sanitized();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int code = in_child(make_call, &calls[i]);

		if (code != -SIGSYS)
			fail_msg("%s (call %zu): %d, not killed: %s",
				 calls[i].name, i, code, words);
	}
}

#ifdef __x86_64__
/* getpid() of i386 has the number of writev(), which is allowed. */
static void call_as_i386(const void *context)
{
	long number = 20;

	if (context)
		enter(context);
	__asm__ volatile("int $0x80"
			 : "+a"(number)::"memory", "r8", "r9", "r10", "r11");
}

static void test_other_architecture(void **state)
{
	(void)state;
	skip_if_sanitized();
	if (in_child(call_as_i386, NULL)) {
		print_message("skipped: this kernel runs nothing of i386\n");
		skip();
	}
	assert_int_equal(in_child(call_as_i386, &live), -SIGSYS);
}
#endif

static volatile int got;

static void on_signal(int number)
{
	got = number;
}

static void use_what_is_needed(const void *context)
{
	struct pollfd fds = { .fd = STDIN_FILENO };
	struct timespec now;
	char *memory = malloc(1000), byte;
	int ends[2], futex = 0;

	NEED(!pipe(ends));
	signal(SIGALRM, on_signal);
	enter(context);
	NEED(write(ends[1], "x", 1) == 1 && read(ends[0], &byte, 1) == 1);
	NEED(ftruncate(ends[1], 0) < 0 && errno == EINVAL);
	NEED(!close(ends[1]) && read(ends[0], &byte, 1) == 0);
	for (size_t size = 1000; size < 64 << 20; size *= 3) {
		memory = realloc(memory, size);
		NEED(memory);
		memset(memory, 1, size);
	}
	free(memory);
	NEED(poll(&fds, 1, 0) >= 0);
	NEED(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now));
	NEED(!syscall(SYS_futex, &futex, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
	NEED(syscall(SYS_futex, &futex, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0) < 0);
	NEED(!madvise(NULL, 0, MADV_DONTNEED));
	NEED(!raise(SIGALRM) && got == SIGALRM);
}

static void use_what_live_needs(const void *context)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = { 0 };

	use_what_is_needed(context);
	attr.info.bpf_fd = STDIN_FILENO; /* which is no BPF object */
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	NEED(syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0);
	NEED(ioctl(STDIN_FILENO, PERF_EVENT_IOC_DISABLE, 0) < 0);
}

static void use_child(const void *context)
{
	struct sandbox_needs needs = { .child = fork() };
	siginfo_t info;
	int status;

	(void)context;
	if (!needs.child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	enter(&needs);
	NEED(!kill(needs.child, SIGTERM));
	NEED(waitpid(needs.child, &status, 0) == needs.child);
	NEED(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	NEED(waitid(P_PID, needs.child, &info, WEXITED) < 0);
	NEED(signal(SIGTERM, SIG_DFL) != SIG_ERR);
}

static void test_needed(void **state)
{
	(void)state;
	assert_int_equal(in_child(use_what_is_needed, &replay), 0);
	assert_string_equal(words, "");
	assert_int_equal(in_child(use_what_live_needs, &live), 0);
	assert_int_equal(in_child(use_child, NULL), 0);
}

static void enter_and_abort(const void *context)
{
	enter(context);
	abort();
}

static void enter_and_free_twice(const void *context)
{
	char *volatile memory = malloc(100);

	enter(context);
	free(memory);
	free(memory);
}

/* A bug must look like what it is. */
static void test_abort(void **state)
{
	(void)state;
	assert_int_equal(in_child(enter_and_abort, &replay), -SIGABRT);
	skip_if_sanitized();
	assert_int_equal(in_child(enter_and_free_twice, &replay), -SIGABRT);
#ifdef __GLIBC__
	assert_contains(words, "double free");
#endif
}

/* --- capabilities --------------------------------------------------------- */

/* Opened before, since nothing can be opened after. */
static void show_status(const void *context)
{
	int fd = open("/proc/self/status", O_RDONLY);
	char text[4000];
	ssize_t len;

	enter(context);
	len = read(fd, text, sizeof(text));
	NEED(len > 0 && write(STDERR_FILENO, text, len) == len);
}

static void test_capabilities(void **state)
{
	(void)state;
	assert_int_equal(in_child(show_status, &live), 0);
	assert_contains(words, "\nCapInh:\t0000000000000000\n");
	assert_contains(words, "\nCapPrm:\t0000000000000000\n");
	assert_contains(words, "\nCapEff:\t0000000000000000\n");
	assert_contains(words, "\nCapAmb:\t0000000000000000\n");
	assert_contains(words, "\nNoNewPrivs:\t1\n");
	if (!geteuid()) /* as far as it has CAP_SETPCAP itself */
		assert_contains(words, "\nCapBnd:\t0000000000000000\n");
	skip_if_sanitized();
	assert_contains(words, "\nSeccomp:\t2\n");
}

/* --- kernels without ------------------------------------------------------ */

/* From now on these calls fail, as they do where seccomp is not built in, or is
 * not wanted. */
static void refuse(int seccomp_err, int prctl_err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (prctl_err)
		NEED(!seccomp_rule_add(filter, SCMP_ACT_ERRNO(prctl_err),
				       SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)));
	NEED(!seccomp_rule_add(filter, SCMP_ACT_ERRNO(seccomp_err),
			       SCMP_SYS(seccomp), 0));
	NEED(!seccomp_load(filter));
	seccomp_release(filter);
}

static void enter_without_seccomp(const void *context)
{
	refuse(ENOSYS, EINVAL);
	show_status(context);
	NEED(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void enter_where_refused(const void *context)
{
	refuse(EPERM, 0);
	_exit(sandbox_enter(context) < 0 ? 42 : 0);
}

static void test_no_seccomp(void **state)
{
	(void)state;
	skip_if_sanitized();
	assert_int_equal(in_child(enter_without_seccomp, &live), 0);
	assert_contains(words, "warning: this kernel has no seccomp filters");
	assert_contains(words, "\nCapEff:\t0000000000000000\n");
	assert_contains(words, "\nNoNewPrivs:\t1\n");
	assert_int_equal(in_child(enter_where_refused, &live), 42);
	assert_contains(words, "cannot forbid system calls: ");
	assert_contains(words, "--no-sandbox");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_forbidden),
#ifdef __x86_64__
	cmocka_unit_test(test_other_architecture),
#endif
	cmocka_unit_test(test_needed),
	cmocka_unit_test(test_abort),
	cmocka_unit_test(test_capabilities),
	cmocka_unit_test(test_no_seccomp),
};

RUN("sandbox", tests)
