/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockets_row.h - one socket of the list of all, as an event whose fields can be
 * shown. Last stage.
 */
#ifndef SOCKETS_ROW_H
#define SOCKETS_ROW_H

#include "decode.h"
#include "model.h"
#include "out.h"

struct sockets_row {
	struct event event;
	struct demux_accept record;
	const struct model_sock *sock;
};

/* @holder is the one to be named, NULL for none. */
void sockets_row_fill(struct sockets_row *row,
		      const struct recording_head *trace,
		      const struct model_sock *sock,
		      const struct model_holder *holder);

/* The users of all holders, "root,www-data", "-" for none, into @to, cut if too
 * long. */
void sockets_row_users(char *to, size_t size, const struct sockets_row *row);
/* All holders: "nginx[12] fd 3,7, nginx[13] fd 3", "-" for none. */
void sockets_row_processes(struct out *out, const struct sockets_row *row);

/* As for qsort(): by namespace, protocol, local port, listeners first, and then
 * by ends and number. */
int sockets_order(const struct model_sock *a, const struct model_sock *b);

#endif
