/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * command.h - the command that is traced: started, held until all is attached,
 * let go, and waited for. There is one at most. Knows no stage.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes a process with all that this one may do and has open for others, in
 * which @argv will run; it holds still until command_go(), and dies with this
 * one before that. From now on a signal that ends a program is passed on to
 * it. Its id, or -errno after a message.
 */
pid_t command_hold(char **argv);

/* Lets the command run. */
void command_go(void);

/* For the pipeline's tick: non-zero when the command has ended, and the last
 * segments of its connections had time to come in. */
int command_tick(void *unused);

/* Waits for the end of the command, or ends one that was never let go. Its exit
 * status as a shell gives it: 128 and the number of a signal that killed it, 127
 * where there is no such program, 126 where it cannot be run; 0 where it was
 * never let go. */
int command_status(void);

#endif
