/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * live_accepts.h - puts the two halves of an accept together: the kernel half
 * tells of the socket first, and of its descriptor a moment later, or never.
 * Part of the live source.
 */
#ifndef LIVE_ACCEPTS_H
#define LIVE_ACCEPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "htab.h"

struct waiting;

struct live_accepts {
	struct htab by_sock;
	struct waiting *first, **last; /* in the order in which they came */
	struct demux_accept out; /* what was handed out last */
};

void live_accepts_init(struct live_accepts *accepts);
void live_accepts_free(struct live_accepts *accepts);

/* What to hand on where the kernel half said @record: itself, an accept that is
 * complete now, or NULL. Valid until the next call. */
void *live_accepts_pass(struct live_accepts *accepts, void *record,
			size_t *len);

/* Has one waited too long? */
bool live_accepts_due(const struct live_accepts *accepts, uint64_t now_ns);

/* Such a one, to be handed on as it is, or NULL. */
struct demux_accept *live_accepts_give_up(struct live_accepts *accepts,
					  uint64_t now_ns);

#endif
