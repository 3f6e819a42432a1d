/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * held.h - segments that wait for their verdict. Fourth stage, part of the proof.
 *
 * A lookup that passes a socket by, or gives one that the hash table has no more,
 * is right where that socket was leaving the table just then. Only its close says
 * so, and that comes a moment later: until then such a segment is held back, not
 * even applied.
 */
#ifndef HELD_H
#define HELD_H

#include "judge.h"

struct held_segment {
	struct held_segment *next;
	struct judge_wait wait;
	unsigned int found; /* segments that met the socket since */
	bool is_decided;
	const struct demux_head *record; /* a copy, behind this */
};

struct held {
	struct held_segment *first; /* in the order in which they came */
};

/* Keeps a copy of the segment that @event is. 0 or -ENOMEM. */
int held_add(struct held *held, const struct event *event,
	     const struct judge_wait *wait);

/* What an event, just applied, says of the sockets that are waited for: it closed,
 * or a segment met it. */
void held_note(struct held *held, const struct event *event);

/* It is @now_ns: whose socket has not closed by now has stayed. */
void held_expire(struct held *held, uint64_t now_ns);

/* The first that is decided, which is held no more, and the caller's to free(); or
 * NULL. */
struct held_segment *held_next(struct held *held);

void held_free(struct held *held);

#endif
