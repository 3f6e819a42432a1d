// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_command.c - user/command.c: what a command finds when it runs, when it
 * does not, and how it ends.
 */
#include "commanded.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include "clock.h"

#define MS 1000000ull

/* In a shell, with its output on stderr. */
static int run(const char *script)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL };

	return run_argv(argv);
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_int_equal(run("exit 7"), 7);
	assert_int_equal(run("exit 255"), 255);
	assert_int_equal(run("kill -9 $$"), 128 + 9);
	assert_int_equal(run("kill -TERM $$"), 128 + 15);
	assert_string_equal(said, "");
}

static void test_arguments(void **state)
{
	char *argv[] = { "sh", "-c", "echo \"$0|$1|$2|$#\" >&2", "-r", "a b",
			 "--", NULL };

	(void)state;
	assert_int_equal(run_argv(argv), 0);
	assert_string_equal(said, "-r|a b|--|2\n");
}

static void test_not_run(void **state)
{
	char *missing[] = { "/no/such/program", NULL };
	char *unnamed[] = { "", NULL };
	char *directory[] = { "/tmp", NULL };
	char *named[] = { "no-such-program", NULL };
	char path[32], *plain[] = { path, NULL };

	(void)state;
	assert_int_equal(run_argv(missing), 127);
	assert_contains(said, "cannot run '/no/such/program': No such file");
	assert_int_equal(run_argv(named), 127);
	assert_int_equal(run_argv(unnamed), 127);
	assert_int_equal(run_argv(directory), 126);
	assert_contains(said, "Permission denied");
	make_file(path, "#!/bin/sh\nexit 3\n", 17);
	assert_int_equal(run_argv(plain), 126);
	chmod(path, 0700);
	assert_int_equal(run_argv(plain), 3);
	unlink(path);
}

/* --- signals that it finds -------------------------------------------------- */

/* Not by a shell, which changes the mask. */
static char *show_signals[] = { "sed", "-n", "/^Sig[BI]/w/dev/stderr",
				"/proc/self/status", NULL };

/* What that says where nobody traces. */
static const char *untraced(void)
{
	struct capture err = capture_begin(STDERR_FILENO);
	int status;
	pid_t pid = fork();

	if (!pid)
		execvp(show_signals[0], show_signals);
	waitpid(pid, &status, 0);
	return capture_end(&err);
}

/* sigaction() hides two of the signals that there are, and another library than
 * this one may have ignored them. */
static void ignore_hidden(int number)
{
	struct {
		void (*handler)(int);
		unsigned long flags, restorer, mask;
	} action = { .handler = SIG_IGN };

	assert_int_equal(syscall(SYS_rt_sigaction, number, &action, NULL, 8),
			 0);
}

/* Whatever the tracer does with signals, the command has them as the tracer was
 * started with them. */
static void check_signals(void)
{
	char *expected = strdup(untraced());

	stop_hold_signals();
	stop_hold_signals(); /* twice is once */
	assert_int_equal(run_argv(show_signals), 0);
	assert_string_equal(said, expected);
	free(expected);
	by_default();
}

static void test_signals_as_started(void **state)
{
	unsigned long long ignored;
	sigset_t some;

	(void)state;
	stop_release_signals();
	check_signals();
	assert_contains(said, "SigBlk:\t0000000000000000\n");
	assert_contains(said, "0000\n");
	/* As nohup starts it. */
	signal(SIGHUP, SIG_IGN);
	check_signals();
	/* As a script does in the background, and what else there is. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigprocmask(SIG_BLOCK, &some, NULL);
	check_signals();
	assert_contains(said, "SigBlk:\t0000000000004000\n");
	assert_contains(said, "1007\n");
	ignore_hidden(32);
	check_signals();
	ignored = strtoull(strstr(said, "SigIgn:") + 8, NULL, 16);
	assert_true(ignored & 1ull << 31);
	/* A child that nobody waits for is one that this program cannot. */
	signal(SIGCHLD, SIG_IGN);
	stop_hold_signals();
	assert_int_equal(run_argv(show_signals), 0);
	assert_contains(said, "10000\n");
	by_default();
}

/* What others opened for it, and nothing of the tracer's. */
static void test_descriptors(void **state)
{
	int fd;

	(void)state;
	fd = fcntl(STDIN_FILENO, F_DUPFD, 9);
	assert_int_equal(run("exec >&2; ls -v /proc/$$/fd; :"), 0);
	close(fd);
	assert_string_equal(said, passed);
}

/* One that tells the pipe when it runs. */
static pid_t hold_teller(int pipe)
{
	char script[40], *argv[] = { "sh", "-c", script, NULL };
	pid_t pid;

	snprintf(script, sizeof(script), "echo >&%d; exit 5", pipe);
	pid = command_hold(argv);
	assert_true(pid > 0);
	return pid;
}

static void test_held(void **state)
{
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = hold_teller(ends[1]);
	assert_false(has_come(ends[0], 100));
	assert_int_equal(command_tick(NULL), 0);
	command_go();
	assert_true(has_come(ends[0], 5000));
	assert_int_equal(command_status(), 5);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	close(ends[0]);
	close(ends[1]);
}

/* Where the trace could not begin. */
static void test_never_let_go(void **state)
{
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = hold_teller(ends[1]);
	assert_int_equal(command_status(), 0);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_false(has_come(ends[0], 0));
	/* How it ended is not the command's doing. */
	kill(hold_teller(ends[1]), SIGKILL);
	assert_int_equal(command_status(), 0);
	/* The same where the tracer is killed: it was fork()ed, and so has both
	 * ends of the pipe itself. */
	pid = fork();
	if (!pid) {
		hold_teller(ends[1]);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	assert_false(has_come(ends[0], 200));
	close(ends[0]);
	close(ends[1]);
}

/* A moment longer than the command, for the last segments. */
static void test_tick(void **state)
{
	char *argv[] = { "true", NULL };
	uint64_t began_ns = clock_mono_ns(), ended_ns;

	(void)state;
	assert_true(command_hold(argv) > 0);
	let_run();
	ended_ns = clock_mono_ns();
	assert_in_range(ended_ns - began_ns, 100 * MS, 5000 * MS);
	assert_int_equal(command_status(), 0);
}

static const struct CMUnitTest tests[] = {
	TEST_COMMAND(test_status),       TEST_COMMAND(test_arguments),
	TEST_COMMAND(test_not_run),      TEST_COMMAND(test_signals_as_started),
	TEST_COMMAND(test_descriptors),  TEST_COMMAND(test_held),
	TEST_COMMAND(test_never_let_go), TEST_COMMAND(test_tick),
};

RUN("command", tests)
