// SPDX-License-Identifier: GPL-2.0-only
/*
 * command.c - the command that is traced: started, held until all is attached,
 * let go, and waited for. Knows no stage.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "stop.h"

/* The last acknowledgements of its connections are on their way then. */
#define AFTERMATH_NS 100000000ull

enum { /* as shells have it */
	STATUS_NOT_RUN = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128,
};

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP };

static pid_t child; /* 0: none */
static int gate[2] = { -1, -1 }; /* a byte through it lets the child go */
static bool let_go;
static uint64_t ended_ns; /* when its end was seen, 0: not yet */
static volatile sig_atomic_t not_passed; /* this signal could not be */

static bool has_ended(void)
{
	siginfo_t info = { .si_pid = 0 };

	/* It stays a zombie, so that no other process gets its id. */
	return waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) ||
	       info.si_pid;
}

static void pass_on(int number, siginfo_t *info, void *unused)
{
	int saved = errno;

	(void)unused;
	if (has_ended())
		/* The next one ends a program that is stuck in a write to a
		 * reader that has stopped. */
		signal(number, SIG_DFL);
	else if (info->si_code <= 0 && kill(child, number))
		/* The command has become another user's. */
		not_passed = number;
	/* One by the kernel is Ctrl-C: the whole process group has it. */
	errno = saved;
}

/* --- in the child --------------------------------------------------------- */

/* The command finds its signals as this program's caller left them, @blocked
 * among them: what nohup or a script had ignored stays ignored. */
static void run(char **argv, const sigset_t *blocked) __attribute__((noreturn));
static void run(char **argv, const sigset_t *blocked)
{
	ssize_t got;
	char byte;
	int err;

	stop_release_signals();
	sigprocmask(SIG_SETMASK, blocked, NULL);
	close(gate[1]);
	do
		got = read(gate[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(0); /* there is no trace */
	execvp(argv[0], argv);
	err = errno;
	log_error("cannot run '%s': %s", argv[0], strerror(err));
	_exit(err == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
}

/* --- in the tracer -------------------------------------------------------- */

static void pass_signals_on(void)
{
	static const struct sigaction passing = {
		.sa_sigaction = pass_on,
		.sa_flags = SA_SIGINFO,
	};
	struct sigaction before;

	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
		sigaction(passed_on[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(passed_on[i], &passing, NULL);
	}
	/* Where it is ignored no child can be waited for. */
	signal(SIGCHLD, SIG_DFL);
}

pid_t command_hold(char **argv)
{
	sigset_t all, before;
	int err;

	if (pipe2(gate, O_CLOEXEC)) {
		err = -errno;
		log_error("cannot make a pipe to the command: %s",
			  strerror(-err));
		return err;
	}
	let_go = false;
	ended_ns = 0;
	not_passed = 0;
	/* Neither of the two may get a signal while it has the other's way of
	 * dealing with it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (!child)
		run(argv, &before);
	err = -errno;
	if (child > 0)
		pass_signals_on();
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(gate[0]);
	if (child > 0)
		return child;
	close(gate[1]);
	child = 0;
	log_error("cannot start a process for the command: %s", strerror(-err));
	return err;
}

void command_go(void)
{
	/* Where it was killed meanwhile, its end will show. */
	let_go = write(gate[1], "", 1) == 1 || errno == EPIPE;
	close(gate[1]);
	gate[1] = -1;
}

int command_tick(void *unused)
{
	(void)unused;
	if (not_passed)
		return 1;
	if (!ended_ns && has_ended())
		ended_ns = clock_mono_ns();
	return ended_ns && clock_mono_ns() - ended_ns >= AFTERMATH_NS;
}

int command_status(void)
{
	int status = 0;

	if (gate[1] >= 0)
		close(gate[1]);
	gate[1] = -1;
	if (let_go && !not_passed && !has_ended())
		log_line("the trace has ended; waiting for the command");
	while (!not_passed && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			break;
	if (not_passed) {
		log_warn("cannot pass signal %d on to process %d, which is "
			 "another user's by now: it runs on",
			 (int)not_passed, (int)child);
		return STATUS_SIGNAL + not_passed;
	}
	child = 0;
	if (!let_go)
		return 0;
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
