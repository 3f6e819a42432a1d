/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stop.h - signals that end a trace in order. Knows no stage.
 */
#ifndef STOP_H
#define STOP_H

/* From now on the first SIGINT, SIGTERM or SIGHUP only makes stop_fd() readable,
 * and a closed pipe is an error like others. Call it first of all. */
void stop_hold_signals(void);

/* They do again what they did before stop_hold_signals(). */
void stop_release_signals(void);

/* For poll(); -1 before stop_hold_signals(). */
int stop_fd(void);

#endif
