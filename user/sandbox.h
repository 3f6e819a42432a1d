/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sandbox.h - gives up what the work that follows has no use for: capabilities
 * and system calls. Knows no stage.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* What the work does beside reading and writing what is open already. */
struct sandbox_needs {
	bool live; /* asks for counts of its BPF programs, and detaches them */
	pid_t child; /* waits for children, and sends this one signals; or 0 */
};

/*
 * From now on, for good: no capability, no new privileges, and any system call
 * that is not needed ends the process with SIGSYS. All that has a name must be
 * open. Returns 0, also after a warning that this kernel cannot filter system
 * calls, or -errno after a message.
 */
int sandbox_enter(const struct sandbox_needs *needs);

#endif
