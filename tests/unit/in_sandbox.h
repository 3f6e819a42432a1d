/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * in_sandbox.h - for tests of the sandbox: work in a child, since nobody comes
 * out of it again.
 */
#ifndef TESTS_IN_SANDBOX_H
#define TESTS_IN_SANDBOX_H

#include "test.h"

#include <sys/resource.h>

#include "sandbox.h"

static const char *words; /* what the last child said */

/* What became of a child that does this: its exit status, or minus the number
 * of the signal that ended it. */
static inline int in_child(void (*work)(const void *), const void *context)
{
	const struct rlimit no_core = { 0, 0 };
	struct capture capture = capture_begin(STDERR_FILENO);
	pid_t child = fork();
	int status;

	if (!child) {
		setrlimit(RLIMIT_CORE, &no_core);
		alarm(20);
		work(context);
		_exit(0);
	}
	waitpid(child, &status, 0);
	words = capture_end(&capture);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void enter(const struct sandbox_needs *needs)
{
	if (sandbox_enter(needs))
		_exit(99);
}

static inline void skip_if_sanitized(void)
{
#ifdef __SANITIZE_ADDRESS__
	print_message("skipped: nothing is forbidden with sanitizers\n");
	skip();
#endif
}

/* In the child, where an assertion would go on in the parent's name. */
#define NEED(what)                 \
	do {                       \
		if (!(what))       \
			_exit(98); \
	} while (0)

#endif
