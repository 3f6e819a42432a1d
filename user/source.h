/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.h - where records come from: the running kernel or a recording. First
 * stage of the user half; what follows cannot tell which it was.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "recording.h"

/* Takes one record. Non-zero asks the source for no more of this round. */
typedef int (*source_take)(void *context, const void *record, size_t len);

struct demux_config;

struct source {
	struct recording_head head;
	int fd; /* for poll(); a live one must also be read now and then */
	bool is_live; /* it has an end when its reader wants one */
	bool ended; /* no record will come any more */
	bool has_more; /* the last read() left some: it was enough for a round */
	/* What the kernel half was told, the key of ids too; NULL: none runs. */
	const struct demux_config *config;

	/* Reads the head, where that is not known yet; else NULL. 0, or -errno
	 * after a message. */
	int (*begin)(struct source *source);
	/* Hands on all that is there. 0, or -errno after a message. */
	int (*read)(struct source *source, source_take take, void *context);
	/* Ends the trace, hands on what is left and then DEMUX_END, whose
	 * counters cover all of it. 0, or -errno after a message. */
	int (*finish)(struct source *source, source_take take, void *context);
	void (*close)(struct source *source);
};

struct backend_wish;

/* The running kernel, through the backend of that name or, with NULL, the first
 * that works. NULL after messages. */
struct source *source_live(const char *backend, struct backend_wish *wish);
/* The same; at its end, and before DEMUX_END, it hands on what sockets there are
 * by then, as DEMUX_SOCKET records with DEMUX_AT_END. */
struct source *source_until(const char *backend, struct backend_wish *wish);
/* The sockets that there are now, with cookies, and who has them open; nothing
 * is traced. NULL after a message, also where none can be seen. */
struct source *source_snapshot(const struct demux_config *wanted,
			       const char *without);
/* A recording, of which begin() reads the first byte; "-" is standard input.
 * NULL after a message. */
struct source *source_replay(const char *path);

#endif
