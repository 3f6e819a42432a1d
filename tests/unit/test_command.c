// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_command.c - user/command.c: what a command finds when it runs, when it
 * does not, and how its end and the tracer's signals pass between the two.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "clock.h"
#include "command.h"
#include "stop.h"

#define MS 1000000ull

/* As main() and the pipeline do, with what the command wrote. */
static const char *said;
static char passed[400]; /* the descriptors that it should find */

static void note_passed(void)
{
	*passed = '\0';
	for (int fd = 0; fd < 1024; fd++) {
		size_t used = strlen(passed);
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			snprintf(passed + used, sizeof(passed) - used, "%d\n",
				 fd);
	}
}

static int run_argv(char **argv)
{
	struct capture err = capture_begin(STDERR_FILENO);
	int status;

	note_passed();
	assert_true(command_hold(argv) > 0);
	command_go();
	while (!command_tick(NULL))
		usleep(1000);
	status = command_status();
	said = capture_end(&err);
	return status;
}

/* Whatever this test was started with: by nohup, or in the background. */
static void by_default(void)
{
	static const int numbers[] = { SIGINT,  SIGTERM, SIGHUP,
				       SIGPIPE, SIGQUIT, SIGCHLD };
	sigset_t none;

	stop_release_signals();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_DFL);
}

static int as_main(void **state)
{
	(void)state;
	by_default();
	stop_hold_signals();
	return 0;
}

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

/* What the command does first is told to the pipe, so as to see that there was
 * nothing of it before. */
static bool has_come(int fd, int ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, ms) > 0 && ready.revents & POLLIN;
}

static void test_held(void **state)
{
	char script[40], *argv[] = { "sh", "-c", script, NULL };
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(script, sizeof(script), "echo >&%d; exit 5", ends[1]);
	pid = command_hold(argv);
	assert_true(pid > 0);
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
	char script[40], *argv[] = { "sh", "-c", script, NULL };
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(script, sizeof(script), "echo >&%d; exit 5", ends[1]);
	pid = command_hold(argv);
	assert_int_equal(command_status(), 0);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_false(has_come(ends[0], 0));
	/* How it ended is not the command's doing. */
	kill(command_hold(argv), SIGKILL);
	assert_int_equal(command_status(), 0);
	/* The same where the tracer is killed: it was fork()ed, and so has both
	 * ends of the pipe itself. */
	pid = fork();
	if (!pid) {
		command_hold(argv);
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
	command_go();
	while (!command_tick(NULL))
		usleep(1000);
	ended_ns = clock_mono_ns();
	assert_in_range(ended_ns - began_ns, 100 * MS, 5000 * MS);
	assert_int_equal(command_status(), 0);
}

/* Starts a shell that is ready for signals; what it does with them is
 * @traps. */
static pid_t begin(const char *traps)
{
	char script[200], *argv[] = { "sh", "-c", script, NULL };
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	snprintf(script, sizeof(script),
		 "%s; echo >&%d; exec %d>&-; while :; do sleep 0.01; done",
		 traps, ends[1], ends[1]);
	pid = command_hold(argv);
	assert_true(pid > 0);
	command_go();
	assert_true(has_come(ends[0], 5000));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void test_signals_are_passed_on(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char traps[40];

		begin(":");
		kill(getpid(), numbers[i]);
		assert_int_equal(command_status(), 128 + numbers[i]);
		snprintf(traps, sizeof(traps), "trap 'exit 9' %d", numbers[i]);
		begin(traps);
		kill(getpid(), numbers[i]);
		assert_int_equal(command_status(), 9);
	}
	/* Again and again, where the command goes on. */
	begin("n=0; trap 'n=$((n+1)); [ $n -lt 3 ] || exit 9' TERM");
	for (int i = 0; i < 3; i++) {
		kill(getpid(), SIGTERM);
		usleep(200000);
	}
	assert_int_equal(command_status(), 9);
}

/* Before it runs, too: then it does not run at all. */
static void test_signal_while_held(void **state)
{
	char *argv[] = { "sh", "-c", "exit 5", NULL };

	(void)state;
	assert_true(command_hold(argv) > 0);
	kill(getpid(), SIGTERM);
	usleep(100000);
	command_go();
	while (!command_tick(NULL))
		usleep(1000);
	assert_int_equal(command_status(), 128 + SIGTERM);
}

/* When the command has ended, the first is for nobody, and the second ends a
 * tracer that does not come to an end. */
static void test_signals_afterwards(void **state)
{
	char *argv[] = { "true", NULL };
	volatile bool *survived = mmap(NULL, 1, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		command_hold(argv);
		command_go();
		while (!command_tick(NULL))
			usleep(1000);
		raise(SIGTERM);
		*survived = true;
		raise(SIGTERM);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(*survived && WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* In a child that has no capability left. True where it did as it should. */
static bool ends_alone(void)
{
	char *argv[] = {
		"setpriv", "--reuid=65534", "--clear-groups", "sleep", "2", NULL
	};
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };
	struct stat process = { 0 };
	char path[20];
	int status;

	snprintf(path, sizeof(path), "/proc/%d", (int)command_hold(argv));
	command_go();
	while (process.st_uid != 65534)
		if (stat(path, &process) || command_tick(NULL))
			return false;
	syscall(SYS_capset, &head, none);
	kill(getpid(), SIGTERM);
	if (command_tick(NULL) != 1)
		return false;
	status = command_status();
	return status == 128 + SIGTERM && !stat(path, &process);
}

/* One of another user is out of reach then: the tracer does not wait. */
static void test_signal_that_cannot_be_passed_on(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (getuid()) {
		print_message("skipped: only root becomes another user\n");
		skip();
	}
	pid = fork();
	if (!pid)
		_exit(!ends_alone());
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_status, as_main),
	cmocka_unit_test_setup(test_arguments, as_main),
	cmocka_unit_test_setup(test_not_run, as_main),
	cmocka_unit_test_setup(test_signals_as_started, as_main),
	cmocka_unit_test_setup(test_descriptors, as_main),
	cmocka_unit_test_setup(test_held, as_main),
	cmocka_unit_test_setup(test_never_let_go, as_main),
	cmocka_unit_test_setup(test_tick, as_main),
	cmocka_unit_test_setup(test_signals_are_passed_on, as_main),
	cmocka_unit_test_setup(test_signal_while_held, as_main),
	cmocka_unit_test_setup(test_signals_afterwards, as_main),
	cmocka_unit_test_setup(test_signal_that_cannot_be_passed_on, as_main),
};

RUN("command", tests)
