// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_cast.c - the demo's processes. They have nothing of the trace open, for
 * they are started before it.
 */
#include "demo_cast.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct part {
	const char *name;
	void (*act)(int control, bool one_bucket);
} parts[] = {
	[DEMO_THE_SERVER] = { "the server", demo_acts_server },
	[DEMO_THE_CLIENTS] = { "the clients", demo_acts_clients },
};

static int __attribute__((format(printf, 3, 4)))
problem(struct demo_cast *cast, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cast->problem, sizeof(cast->problem), format, args);
	va_end(args);
	return err;
}

/* A shell may have had signals ignored or blocked; Ctrl-C ends an actor. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void play(const struct part *part, int control, bool one_bucket,
		 pid_t director)
{
	reset_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != director) /* it ended before that was asked for */
		_exit(1);
	part->act(control, one_bucket);
}

static int start(struct demo_cast *cast, enum demo_role role)
{
	struct demo_actor *actor = &cast->actors[role];
	pid_t director = getpid();
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return problem(cast, -errno, "cannot make a socket pair: %s",
			       strerror(errno));
	actor->pid = fork();
	if (!actor->pid) {
		close(ends[0]);
		play(&parts[role], ends[1], cast->one_bucket, director);
	}
	err = -errno;
	close(ends[1]);
	actor->control = ends[0];
	if (actor->pid > 0)
		return demo_cast_await(cast, role);
	actor->pid = 0;
	close(ends[0]);
	return problem(cast, err, "cannot start %s: %s", parts[role].name,
		       strerror(-err));
}

int demo_cast_start(struct demo_cast *cast)
{
	int err = start(cast, DEMO_THE_SERVER);

	return err ?: start(cast, DEMO_THE_CLIENTS);
}

int demo_cast_order(struct demo_cast *cast, enum demo_role role,
		    enum demo_order_kind kind, uint32_t arg)
{
	struct demo_order order = { .kind = kind, .arg = arg };

	for (int i = 0; i < DEMO_ROLES; i++)
		cast->actors[i].answers = 0;
	/* One who is gone is noticed when it is listened to. */
	if (send(cast->actors[role].control, &order, sizeof(order),
		 MSG_NOSIGNAL) < 0 &&
	    errno != EPIPE && errno != ECONNRESET)
		return problem(cast, -errno, "cannot reach %s: %s",
			       parts[role].name, strerror(errno));
	return 0;
}

/* Takes an answer, if there is one. */
static int hear(struct demo_cast *cast, enum demo_role role)
{
	struct demo_actor *actor = &cast->actors[role];
	struct demo_answer word;
	ssize_t len = recv(actor->control, &word, sizeof(word), MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (len != sizeof(word)) {
		/* Ctrl-C reaches actors too. Where it was that, this process
		 * knows of it before it looks here again. */
		if (!actor->gone) {
			actor->gone = true;
			return -EAGAIN;
		}
		return problem(cast, -ESRCH, "%s ended before the demo did",
			       parts[role].name);
	}
	if (word.err)
		return problem(cast, word.err, "%s: %s", word.what,
			       strerror(-word.err));
	actor->answers++;
	return 0;
}

int demo_cast_hear(struct demo_cast *cast)
{
	int err = 0;

	for (int role = 0; role < DEMO_ROLES; role++) {
		do
			err = hear(cast, role);
		while (!err);
		if (err != -EAGAIN)
			return err;
	}
	return 0;
}

int demo_cast_await(struct demo_cast *cast, enum demo_role role)
{
	struct demo_actor *actor = &cast->actors[role];
	struct pollfd fd = { .fd = actor->control, .events = POLLIN };
	int ready, err;

	actor->answers = 0;
	do {
		ready = poll(&fd, 1, DEMO_PATIENCE_S * 1000);
		err = ready > 0 ? hear(cast, role) : 0;
	} while ((ready < 0 && errno == EINTR) || err == -EAGAIN);
	if (ready > 0)
		return err;
	return problem(cast, -ETIMEDOUT, "no answer from %s for %d s",
		       parts[role].name, DEMO_PATIENCE_S);
}

uint32_t demo_cast_netns(const struct demo_cast *cast, enum demo_role role)
{
	char path[64];
	struct stat netns;

	snprintf(path, sizeof(path), "/proc/%d/ns/net",
		 (int)cast->actors[role].pid);
	return stat(path, &netns) ? 0 : netns.st_ino;
}

void demo_cast_end(struct demo_cast *cast)
{
	for (int role = 0; role < DEMO_ROLES; role++) {
		struct demo_actor *actor = &cast->actors[role];

		if (!actor->pid)
			continue;
		kill(actor->pid, SIGKILL);
		while (waitpid(actor->pid, NULL, 0) < 0 && errno == EINTR)
			;
		close(actor->control);
		actor->pid = 0;
	}
}
