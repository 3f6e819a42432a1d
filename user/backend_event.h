/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend_event.h - a program on a perf event: of a kprobe, or of a tracepoint.
 */
#ifndef BACKEND_EVENT_H
#define BACKEND_EVENT_H

struct bpf_link;
struct bpf_program;

/* @fd is the perf event's, or -errno. The link owns it; NULL, with errno set and @fd
 * closed, where it fails. */
struct bpf_link *backend_event_link(struct bpf_program *program, int fd);

/* @event is "raw_syscalls/sys_exit". NULL, with errno set, where it fails. */
struct bpf_link *backend_event_attach(struct bpf_program *program,
				      const char *event);

#endif
