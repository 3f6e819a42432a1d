// SPDX-License-Identifier: GPL-2.0-only
/*
 * stop.c - signals that end a trace in order. Knows no stage.
 */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* What a signal wakes the loop through: read end, write end. */
static int wake[2] = { -1, -1 };

/* The signals that are dealt with here, and what they did before. */
static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
#define OURS (sizeof(ours) / sizeof(ours[0]))
static struct sigaction before[OURS];
static bool held;

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	if (write(wake[1], "", 1) < 0)
		errno = saved; /* full: it is awake already */
	errno = saved;
}

void stop_hold_signals(void)
{
	/* Once only: a second Ctrl-C ends a program that is stuck in a write to
	 * a reader that has stopped. */
	static const struct sigaction hold = { .sa_handler = on_signal,
					       .sa_flags = SA_RESETHAND };
	static const struct sigaction ignore = { .sa_handler = SIG_IGN };
	char byte;

	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		return; /* they end the program then, as they do by default */
	while (read(wake[0], &byte, 1) == 1)
		;
	for (size_t i = 0; i < OURS; i++) {
		struct sigaction was;

		sigaction(ours[i], ours[i] == SIGPIPE ? &ignore : &hold, &was);
		/* nohup means it. SIGINT is ignored in every background job of
		 * a script, which yet ends its tracer with it. */
		if (ours[i] == SIGHUP && was.sa_handler == SIG_IGN)
			sigaction(SIGHUP, &was, NULL);
		if (!held)
			before[i] = was;
	}
	held = true;
}

void stop_release_signals(void)
{
	for (size_t i = 0; held && i < OURS; i++)
		sigaction(ours[i], &before[i], NULL);
	held = false;
}

int stop_fd(void)
{
	return wake[0];
}
