/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explained.h - a record, and what is said of it, for the tests of explain.
 */
#ifndef TESTS_EXPLAINED_H
#define TESTS_EXPLAINED_H

#include "shown.h"

#include "explain.h"

/* A record with all that it can have. */
static struct demux_segment_why record;
static struct demux_segment *const seg = &record.more.segment;
static struct demux_why *const why = &record.why;
static struct model_sock child;
static char said[EXPLAIN_MAX];

static struct demux_ends ends(void)
{
	return make_ends("10.0.0.1", 12000, "10.0.0.2", 50426);
}

static inline void make(uint8_t outcome)
{
	record = (struct demux_segment_why){
		.more = make_segment(1, outcome, ends()),
	};
	seg->head.len = sizeof(record);
	seg->window = 502;
	sock = (struct model_sock){ .number = 3 };
	parent = (struct model_sock){ .number = 1 };
	child = (struct model_sock){ .number = 7 };
}

static inline void make_found(uint8_t outcome, uint8_t state)
{
	make(outcome);
	give_sock(&record.more, make_sock(9, state, ends()));
}

/* Says it, with the sockets that the record has. */
static inline struct event event(void)
{
	struct event event = event_of(&record);

	if (seg->have & DEMUX_HAVE_SOCK)
		event.sock = &sock;
	if (seg->have & DEMUX_HAVE_PARENT)
		event.parent = &parent;
	if (seg->have & DEMUX_HAVE_CHILD)
		event.child = &child;
	return event;
}

static inline void says(const char *expected)
{
	struct event from = event();

	explain(said, &from, false);
	assert_string_equal(said, expected);
}

static inline void ends_with(const char *expected)
{
	struct event from = event();
	size_t len = strlen(expected);

	explain(said, &from, false);
	if (strlen(said) < len || strcmp(said + strlen(said) - len, expected))
		fail_msg("'%s' does not end with '%s'", said, expected);
}

static inline void has(uint32_t bits)
{
	seg->have |= DEMUX_HAVE_WHY;
	why->have |= bits;
}

static inline void set_detail(uint8_t detail)
{
	seg->have |= DEMUX_HAVE_DETAIL;
	seg->detail = detail;
}

static inline void in_slot(uint32_t position, uint32_t length)
{
	has(DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN | DEMUX_WHY_POSITION);
	why->hash_slot = 3819;
	why->hash_slots = 8192;
	why->chain_position = position;
	why->chain_length = length;
}

#define ACK_CAME  "ACK from 10.0.0.2:50426 to port 12000 (window 502)."
#define FOUND     " Looked up among the established sockets: "
#define EXACT     " has exactly this pair of endpoints"
#define NOT_FOUND " No established socket has this pair of endpoints"

#endif
