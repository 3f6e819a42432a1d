// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_chain.c - demo --one-bucket: the places in the chain as the segments tell
 * them, beside the order in which /proc lists its sockets.
 */
#include "demo_chain.h"

#include <stdio.h>

#include "log.h"
#include "names.h"

static struct seen {
	uint64_t number; /* of the socket in the trace, 0: nothing seen */
	struct demux_why why;
} seen[DEMO_ROWS_MAX]; /* what the newest segment of each said */

static void watch(struct sink *sink, const struct event *event)
{
	const uint32_t place = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN |
			       DEMUX_WHY_POSITION;
	const struct demux_why *why = event->with_why;

	(void)sink;
	if (event->head->type != DEMUX_SEGMENT || !event->sock || !why ||
	    (why->have & place) != place ||
	    event->segment->outcome != DEMUX_ESTABLISHED)
		return;
	for (int i = 0; i < DEMO_ROWS_MAX; i++) {
		if (seen[i].number && seen[i].number != event->sock->number)
			continue;
		seen[i].number = event->sock->number;
		seen[i].why = *why;
		return;
	}
}

const struct sink_type demo_chain_watcher = {
	.name = "chain",
	.event = watch,
};

static const struct demux_why *find(uint64_t number)
{
	for (int i = 0; number && i < DEMO_ROWS_MAX; i++)
		if (seen[i].number == number)
			return &seen[i].why;
	return NULL;
}

static bool show_row(struct demo_words *words, const struct demo_row *row,
		     int length)
{
	const struct demux_why *why = find(row->number);
	char addr[NAMES_ADDR_MAX], end[NAMES_ADDR_MAX + 8], number[24];
	char place[64] = "?";

	names_addr(addr, row->ends.raddr, 4);
	snprintf(end, sizeof(end), "%s:%u", addr, row->ends.rport);
	snprintf(number, sizeof(number), "#%llu",
		 (unsigned long long)row->number);
	if (why)
		snprintf(place, sizeof(place), "slot %u of %u, %u before it",
			 why->hash_slot, why->hash_slots, why->chain_position);
	demo_say(words, "  %-10d %-6s %-10u %-21s %s", row->place,
		 row->number ? number : "?", row->ends.lport, end, place);
	return !why || (why->hash_slots == 1 && !why->hash_slot &&
			why->chain_length == (uint32_t)length &&
			why->chain_position == (uint32_t)row->place);
}

bool demo_chain_show(struct demo_words *words, const struct demo_row *rows,
		     int count)
{
	int length = 0;
	bool agree = true;

	for (int i = 0; i < count; i++)
		length += rows[i].place >= 0;
	demo_say(words, "\n  %-10s %-6s %-10s %-21s %s", "in /proc", "socket",
		 "local port", "remote endpoint", "its segments found it");
	for (int place = 0; place < length; place++)
		for (int i = 0; i < count; i++)
			if (rows[i].place == place)
				agree &= show_row(words, &rows[i], length);
	if (!agree)
		log_error("the demo failed: /proc shows the chain in another "
			  "order than the segments found it in");
	return agree;
}
