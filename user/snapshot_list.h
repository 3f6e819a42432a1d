/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot_list.h - the snapshot as a list for people: each socket with its
 * cookie, and words on what is missing. Stage of the sources.
 */
#ifndef SNAPSHOT_LIST_H
#define SNAPSHOT_LIST_H

#include "config.h"

struct snapshot;

/* NULL after a message, also where no table can be read. */
struct snapshot *snapshot_list(const struct demux_config *config,
			       const char *without);

#endif
