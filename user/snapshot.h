/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot.h - the sockets that are there before the first segment of the
 * trace, in all network namespaces, and who has them open. Stage of the sources;
 * source_live.c merges them into what the kernel tells.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "event.h"

struct snapshot;

/* What could not be looked into, and therefore is not told. */
struct snapshot_gaps {
	size_t processes;
	size_t namespaces;
	size_t tables; /* of one protocol in one namespace */
	size_t tables_read; /* and those that could */
};

/* @without names what must not be used, as in struct backend_wish: iter_tcp,
 * iter_udp, iter_task_file. NULL where memory ran out. */
struct snapshot *snapshot_new(const char *without);

/* Those that have no cookie yet are to get one, as from `ss -e`. */
void snapshot_give_cookies(struct snapshot *snapshot);

/*
 * Reads them now. The hooks on the life of sockets must be attached already,
 * those on segments not yet: so nothing is missed, and every segment comes
 * later. @config is the backend's own, complete with the key of ids. What cannot
 * be read is said with log_info() and left out. 0, or -errno after a message.
 */
int snapshot_take(struct snapshot *snapshot, const struct demux_config *config);

const struct snapshot_gaps *snapshot_gaps(const struct snapshot *snapshot);

/* The next record, of type DEMUX_SOCKET, in the order of their time, if its time
 * is not after @before_ns; else NULL. It stays until the next call. */
const struct demux_accept *snapshot_next(struct snapshot *snapshot,
					 uint64_t before_ns);

/* Takes NULL too. */
void snapshot_free(struct snapshot *snapshot);

#endif
