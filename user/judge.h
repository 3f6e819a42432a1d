/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - the verdict on one segment, by the invariants of docs/design.md.
 * What the judge_*.c ask of each other. Fourth stage, part of the proof.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "model.h"

enum verdict {
	VERDICT_PROVED = 1,
	VERDICT_EXPLAINED, /* an invariant does not hold, and rightly so */
	VERDICT_UNEXPLAINED,
};

#define JUDGE_WHY_MAX 200

/* From the lookup to the hook that stable has, which takes the time: where the way
 * of the match is not seen. */
#define LATE_NS 1000000

/* Which socket a verdict has to wait for. */
enum judge_awaited {
	AWAITED_MATCH, /* the one that got the segment: it may have been leaving */
	AWAITED_BOUND, /* the same: it is bound to another device */
	AWAITED_OTHER, /* one that the lookup passed by */
};

/* What happened to it just then. */
enum judge_fate {
	FATE_UNKNOWN, /* so far */
	FATE_STAYED,
	FATE_LEFT, /* the hash table */
	FATE_MADE, /* by another CPU */
	FATE_REBOUND, /* to another device */
};

struct judge_wait {
	uint64_t id;
	enum judge_awaited awaited;
	enum judge_fate fate; /* where it is known, there is no need to wait */
	bool is_by_ends; /* it is known by its ends alone: the id is made up */
	uint32_t ifindex; /* AWAITED_BOUND: of that device; else the segment's */
};

/* One event before the judge. */
struct judge {
	const struct event *event;
	struct model *model;
	const struct judge_wait *waited; /* NULL where it had not to wait */
	char why[JUDGE_WHY_MAX]; /* where it is not proved */
};

/* Says why, and returns @verdict. */
enum verdict judge_say(struct judge *judge, enum verdict verdict,
		       const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define judge_explain(judge, ...) \
	judge_say(judge, VERDICT_EXPLAINED, __VA_ARGS__)
#define judge_doubt(judge, ...) \
	judge_say(judge, VERDICT_UNEXPLAINED, __VA_ARGS__)

/* The device rule, for what came in by @ifindex and @sdif: a socket that is bound
 * to a device has only what came in by that, or by the member of a VRF that it
 * is; and the namespace. */
enum verdict judge_place(struct judge *judge, const struct demux_sock *sock,
			 __u32 ifindex, __u32 sdif);

/* Was the chain of its slot walked, and the socket not in it? */
bool judge_is_out_of_chain(const struct event *event);

/* Is it a segment or datagram, which the model has not been told of yet, whose
 * verdict has to wait for what is told of a socket next? See held.h. */
bool judge_waits(const struct model *model, const struct event *event,
		 struct judge_wait *wait);

/* The verdict on the TCP segment that the event is. */
enum verdict judge_segment(struct judge *judge);

/* The same for a datagram and the socket that got it. */
enum verdict judge_datagram(struct judge *judge);

#endif
