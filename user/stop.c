// SPDX-License-Identifier: GPL-2.0-only
/*
 * stop.c - signals that end a trace in order. Knows no stage.
 */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* What a signal wakes the loop through: read end, write end. */
static int wake[2] = { -1, -1 };

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
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	char byte;

	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		return; /* they end the program then, as they do by default */
	while (read(wake[0], &byte, 1) == 1)
		;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction before;

		sigaction(numbers[i], &hold, &before);
		/* nohup means it. SIGINT is ignored in every background job of
		 * a script, which yet ends its tracer with it. */
		if (numbers[i] == SIGHUP && before.sa_handler == SIG_IGN)
			sigaction(numbers[i], &before, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

int stop_fd(void)
{
	return wake[0];
}
