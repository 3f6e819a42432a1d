/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_tables.h - the server's TCP sockets as /proc tells of them, without any
 * help of the trace, in the shapes in which netstat and lsof show them.
 */
#ifndef DEMO_TABLES_H
#define DEMO_TABLES_H

#include <sys/types.h>

#include "demo_words.h"
#include "model.h"

#define DEMO_ROWS_MAX 16

struct demo_row {
	struct demux_ends ends;
	unsigned int state; /* TCP_* */
	unsigned long inode;
	unsigned int unacked; /* bytes sent */
	int fd;
	int place; /* among the established ones, from 0; else -1 */
	uint64_t number; /* of the same socket in the trace, 0 unknown */
};

/* The TCP sockets over IPv4 that @pid has open, by descriptor. Returns how
 * many, or -errno. */
int demo_tables_read(struct demo_row rows[DEMO_ROWS_MAX], pid_t pid);

/* Does no TCP socket over IPv4 of its namespace wait for an acknowledgement? */
bool demo_tables_at_rest(pid_t pid);

/* Finds the connections in the trace. False where it says something else of
 * one of them than /proc does. */
bool demo_tables_compare(struct demo_row *rows, int count,
			 const struct model *model, uint32_t netns);

void demo_tables_show(struct demo_words *words, const struct demo_row *rows,
		      int count, pid_t pid);

#endif
