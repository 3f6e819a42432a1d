/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend_load.h - shows a backend's programs to the kernel: what all backends
 * do alike before they attach.
 */
#ifndef BACKEND_LOAD_H
#define BACKEND_LOAD_H

#include "backend.h"

/* Opens, configures and loads. 0, or -errno with the reason in @why. */
int backend_load(struct backend_trace *trace, const struct backend_wish *wish,
		 char *why, size_t size);

/* Tells the kernel half how it knows who put a socket on an skb, for a backend
 * that sees it there. Without /proc/kallsyms that is not told. */
void backend_load_destructors(struct demux_config *config);

/* After the hooks on sockets' lives are attached: what the wanted process owns
 * already, whom it starts, and the iterators for backend_find_fds(). */
void backend_load_finish(struct backend_trace *trace);

/* The open_object() and free_object() of a backend, by the skeleton of its name.
 * The first returns 0 or -errno. */
#define BACKEND_OBJECT(name)                                                  \
	static int open_object(struct backend_trace *trace)                   \
	{                                                                     \
		struct name##_bpf *skel = name##_bpf__open();                 \
                                                                              \
		if (!skel)                                                    \
			return -errno;                                        \
		trace->skeleton = skel;                                       \
		trace->object = skel->obj;                                    \
		trace->config = (struct demux_config *)&skel->rodata->config; \
		return 0;                                                     \
	}                                                                     \
                                                                              \
	static void free_object(struct backend_trace *trace)                  \
	{                                                                     \
		name##_bpf__destroy(trace->skeleton);                         \
	}

#endif
