/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commanded.h - runs a command as main() and the pipeline do, for the tests of
 * user/command.c.
 */
#ifndef TESTS_COMMANDED_H
#define TESTS_COMMANDED_H

#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "command.h"
#include "stop.h"

static const char *said; /* what the command wrote on stderr */
static char passed[400]; /* the descriptors that it should find */

static inline void note_passed(void)
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

/* Lets it go, and comes back when it has ended. */
static inline void let_run(void)
{
	command_go();
	while (!command_tick(NULL))
		usleep(1000);
}

static inline int run_argv(char **argv)
{
	struct capture err = capture_begin(STDERR_FILENO);
	int status;

	note_passed();
	assert_true(command_hold(argv) > 0);
	let_run();
	status = command_status();
	said = capture_end(&err);
	return status;
}

/* Whatever this test was started with: by nohup, or in the background. */
static inline void by_default(void)
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

static inline int as_main(void **state)
{
	(void)state;
	by_default();
	stop_hold_signals();
	return 0;
}

/* What the command does first is told to the pipe, so as to see that there was
 * nothing of it before. */
static inline bool has_come(int fd, int ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, ms) > 0 && ready.revents & POLLIN;
}

/* As main() does it. */
#define TEST_COMMAND(name) cmocka_unit_test_setup(name, as_main)

#endif
