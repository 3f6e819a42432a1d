/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proof.h - was each segment given to the socket it belongs to? Judges every
 * segment by the invariants, and at the end says what was proved, or why
 * nothing was. Fourth stage.
 *
 * I1  a socket that does not listen has exactly the segment's two ends
 * I2  a listener has the segment's port, and its address or any
 * I3  a listener is asked only where no socket has the segment's two ends
 * I4  a request and a child have exactly the segment's two ends
 * I5  a socket stands in the chain of its slot (with --detail)
 * I6  no two sockets have the same two ends, but for those of two devices
 * I7  accept() returns what was born of that listener
 * I8  a UDP socket has the datagram's port, its address or any, and if it is
 *     connected its remote end
 * I9  what is nobody's has no listener that could have taken it
 * I10 every segment, and every datagram, has one outcome
 */
#ifndef PROOF_H
#define PROOF_H

#include "judge.h"
#include "recording.h"

/* "proved", "explained", "unexplained"; NULL for another number. */
const char *proof_verdict_name(unsigned int verdict);

#define PROOF_DOUBTS_MAX 12

/* What a trace of UDP comes to. */
struct datagram_summary {
	bool is_there; /* UDP was asked for, or is in the recording */
	bool complete; /* filtered, lost and skipped are known */
	uint64_t datagrams; /* reported */
	uint64_t copies; /* of these: one for each receiver, or for nobody */
	uint64_t filtered; /* datagrams */
	uint64_t lost; /* copies that did not fit into the ring */
	uint64_t skipped; /* datagrams that no hook could follow */
	uint64_t missing; /* copies that the kernel sent and nobody got */
	uint64_t proved, explained, unexplained; /* of copies */
};

/* What a trace comes to. */
struct summary {
	uint64_t segments; /* reported */
	uint64_t filtered;
	uint64_t lost; /* segments that did not fit into the ring */
	uint64_t lost_other; /* accept, listen, close records that did not */
	uint64_t skipped; /* segments that no hook could follow */
	uint64_t stuck; /* hooks that a full or busy map turned away */
	uint64_t not_host; /* frames for other hosts; Tcp: InSegs has them not */
	uint64_t accepted;
	uint64_t proved, explained, unexplained; /* of segments */
	bool complete; /* the counters are there: the trace has its end */
	const struct recording_head *head;
	struct port **ports; /* by number */
	size_t port_count;
	struct datagram_summary udp;
	struct port **udp_ports;
	size_t udp_port_count;

	bool is_proved;
	size_t doubt_count;
	char doubts[PROOF_DOUBTS_MAX][200]; /* why it is not proved */
};

struct proof {
	struct judge judge; /* of the last segment; its why is the event's */
	uint64_t counts[VERDICT_UNEXPLAINED + 1];
	uint64_t copies[VERDICT_UNEXPLAINED + 1]; /* the same of datagrams */
	uint64_t datagrams;
	uint64_t filtered; /* by user space, in a replay */
	uint64_t copies_filtered; /* likewise */
	uint64_t strange_accepts; /* from a listener that they are not of, less
				     what a close explained that came later */
	uint64_t undecodable; /* records that decode() refused */
	uint64_t unknown; /* records of a type that decode() does not know */
	bool stopped_early; /* --count: the kernel saw more than was asked for */
};

/* Judges a segment; fills @event->verdict and why. Call after model_apply(). */
void proof_segment(struct proof *proof, struct model *model,
		   struct event *event);

/* What proof_segment() and proof_datagram() share: @judge has the word, @counts and
 * @ports are those of its protocol. */
void proof_judge(struct proof *proof, struct model *model, struct event *event,
		 enum verdict (*judge)(struct judge *judge), uint64_t *counts,
		 struct ports *ports);

/* Judges what an accept() returned, likewise. */
void proof_accept(struct proof *proof, struct model *model,
		  const struct event *event);

/* What that listener's close, told later, makes of it. */
void proof_close(struct proof *proof, struct model *model,
		 const struct event *event);

/* Segments judged so far. */
uint64_t proof_judged(const struct proof *proof);

/* The same of a datagram; proof_datagram.c. */
void proof_datagram(struct proof *proof, struct model *model,
		    struct event *event);

/* Records of datagrams judged so far. */
uint64_t proof_copies(const struct proof *proof);

/* Fills what the summary says of UDP. */
void proof_datagrams_end(const struct proof *proof, struct model *model,
			 const struct demux_end *end, struct summary *summary);

/* Sums up. @end is NULL where a recording has none. */
void proof_end(const struct proof *proof, struct model *model,
	       const struct recording_head *head, const struct demux_end *end,
	       struct summary *summary);
void proof_free(struct summary *summary);

#endif
