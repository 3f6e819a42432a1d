/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend_event.h - a program on the perf event of a tracepoint.
 */
#ifndef BACKEND_EVENT_H
#define BACKEND_EVENT_H

struct bpf_link;
struct bpf_program;

/* @event is "raw_syscalls/sys_exit". NULL, with errno set, where it fails. */
struct bpf_link *backend_event_attach(struct bpf_program *program,
				      const char *event);

#endif
