/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conns.h - where the sequence numbers of each connection begin, so that they
 * can be told relative to that. The model's bookkeeping. Third stage.
 */
#ifndef CONNS_H
#define CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "htab.h"

struct conns {
	struct htab table; /* by network namespace and the segment's ends */
};

/*
 * The segment's numbers, relative: its SYN has 0, the first byte 1. Where the
 * SYN was not seen, the first segment seen has 1. What a segment that no socket
 * got says is not remembered. 0 or -ENOMEM.
 */
int conns_note(struct conns *conns, const struct demux_segment *seg,
	       struct event_numbers *numbers);

/* Forgets those of which nothing came since @before_ns, but for those that
 * @is_open says are still open. */
void conns_sweep(struct conns *conns, uint64_t before_ns,
		 bool (*is_open)(void *context, const struct demux_ends *ends,
				 uint32_t netns),
		 void *context);

void conns_free(struct conns *conns);

#endif
