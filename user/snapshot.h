/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot.h - the TCP sockets that are there before the first segment of the
 * trace, in all network namespaces, and who has them open. Stage of the sources;
 * source_live.c merges them into what the kernel tells.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdint.h>

#include "config.h"
#include "event.h"

struct snapshot;

/* @without names what must not be used, as in struct backend_wish: iter_tcp,
 * iter_task_file. NULL where memory ran out. */
struct snapshot *snapshot_new(const char *without);

/*
 * Reads them now. The hooks on the life of sockets must be attached already,
 * those on segments not yet: so nothing is missed, and every segment comes
 * later. @config is the backend's own, complete with the key of ids. What cannot
 * be read is said with log_info() and left out. 0, or -errno after a message.
 */
int snapshot_take(struct snapshot *snapshot, const struct demux_config *config);

/* The next record, of type DEMUX_SOCKET, in the order of their time, if its time
 * is not after @before_ns; else NULL. It stays until the next call. */
const struct demux_accept *snapshot_next(struct snapshot *snapshot,
					 uint64_t before_ns);

/* Takes NULL too. */
void snapshot_free(struct snapshot *snapshot);

#endif
