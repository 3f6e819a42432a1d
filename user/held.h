/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * held.h - a segment that waits for its verdict, and what came after it. Fourth
 * stage, part of the proof.
 *
 * A lookup that passes a socket by, or gives one that the hash table has no more,
 * is right where that socket was leaving the table just then. Only its close says
 * so, and that comes a moment later; or it was being bound to another device. Until
 * then the segment, or datagram, waits, and behind it every record that comes:
 * nothing is applied or told in another order than it came in, and there is one
 * that waits at a time.
 */
#ifndef HELD_H
#define HELD_H

#include "judge.h"

/* How many of those that are held are about a socket. */
struct held_about {
	struct htab_node by_id;
	uint64_t id;
	size_t calls; /* its close and the like */
	size_t found; /* segments */
};

struct held_record {
	struct held_record *next;
	struct held_about *about; /* NULL for what decides nothing */
	const struct demux_head *head; /* a copy, behind this */
};

struct held {
	struct held_record *first; /* in the order in which they came */
	struct held_record *last;
	struct htab abouts;
	uint64_t now_ns; /* in the trace, for all that is known */

	bool waits; /* the first one does; then for this, until its fate is known */
	struct judge_wait wait;
	bool is_found; /* a segment met it, on another CPU: */
	uint32_t found_cpu;
};

/* Keeps a copy of a record. 0 or -ENOMEM. */
int held_add(struct held *held, const struct demux_head *head);

/* The first one is a segment that has to wait. What is behind it may decide. */
void held_wait(struct held *held, const struct judge_wait *wait);

/* What @event, which came last, says of the socket that is waited for: it closed,
 * or a segment met it. */
void held_see(struct held *held, const struct event *event);

/* It is @now_ns: if the socket has not closed by now, it has stayed. */
void held_expire(struct held *held, uint64_t now_ns);

/* The first one, if it waits for nothing, is held no more, and the caller's to
 * free(). What was decided, if it had to wait, goes to @wait, which is *@waited
 * then; else that is NULL. */
struct held_record *held_next(struct held *held, struct judge_wait *wait,
			      const struct judge_wait **waited);

void held_free(struct held *held);

#endif
