// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_command_signals.c - user/command.c: how the tracer's signals reach the
 * command, and when they do not.
 */
#include "commanded.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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
}

/* Again and again, where the command goes on. */
static void test_signals_are_passed_on_again(void **state)
{
	char traps[100], byte;
	int told[2];

	(void)state;
	assert_int_equal(pipe(told), 0);
	snprintf(traps, sizeof(traps),
		 "n=0; trap 'n=$((n+1)); echo >&%d; [ $n -lt 3 ] || exit 9' "
		 "TERM",
		 told[1]);
	begin(traps);
	/* Two at once may be one to a shell that is slow. */
	for (int i = 0; i < 3; i++) {
		kill(getpid(), SIGTERM);
		assert_int_equal(read(told[0], &byte, 1), 1);
	}
	assert_int_equal(command_status(), 9);
	close(told[0]);
	close(told[1]);
}

/* Before it runs, too: then it does not run at all. */
static void test_signal_while_held(void **state)
{
	char *argv[] = { "sh", "-c", "exit 5", NULL };

	(void)state;
	assert_true(command_hold(argv) > 0);
	kill(getpid(), SIGTERM);
	usleep(100000);
	let_run();
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
		let_run();
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
	TEST_COMMAND(test_signals_are_passed_on),
	TEST_COMMAND(test_signals_are_passed_on_again),
	TEST_COMMAND(test_signal_while_held),
	TEST_COMMAND(test_signals_afterwards),
	TEST_COMMAND(test_signal_that_cannot_be_passed_on),
};

RUN("command_signals", tests)
