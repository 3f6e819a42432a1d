/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot_iter.h - the snapshot's BPF iterators, bpf/snapshot.bpf.c. Stage of
 * the sources.
 */
#ifndef SNAPSHOT_ITER_H
#define SNAPSHOT_ITER_H

#include "config.h"
#include "records.h"

enum snapshot_pass {
	SNAPSHOT_FILES, /* what processes have open, in all namespaces */
	SNAPSHOT_TCP, /* lookup tables of the network namespace one is in */
	SNAPSHOT_UDP, /* likewise */
	SNAPSHOT_PASSES
};

struct snapshot_iter {
	struct snapshot_bpf *skel;
	struct bpf_link *links[SNAPSHOT_PASSES]; /* NULL: cannot be read */
};

/* Loads what @config asks for, this kernel has and @without does not name. */
void snapshot_iter_open(struct snapshot_iter *iter,
			const struct demux_config *config, const char *without);
/* Appends what that pass finds. 0 or -errno. */
int snapshot_iter_read(struct snapshot_iter *iter, enum snapshot_pass pass,
		       struct records *to);
void snapshot_iter_close(struct snapshot_iter *iter);

#endif
