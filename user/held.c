// SPDX-License-Identifier: GPL-2.0-only
/*
 * held.c - segments that wait for their verdict. Fourth stage, part of the proof.
 */
#include "held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_states.h"

/* A close on another CPU may be told this much after it took effect. */
#define PATIENCE_NS 100000000ull

int held_add(struct held *held, const struct event *event,
	     const struct judge_wait *wait)
{
	struct held_segment **end = &held->first;
	struct held_segment *one = malloc(sizeof(*one) + event->head->len);

	if (!one)
		return -ENOMEM;
	*one = (struct held_segment){
		.wait = *wait,
		.record = memcpy(one + 1, event->head, event->head->len),
	};
	while (*end)
		end = &(*end)->next;
	*end = one;
	return 0;
}

static bool is_about(const struct held_segment *one, const struct event *event,
		     const struct demux_sock *sock)
{
	return one->wait.number ?
		       event->sock && event->sock->number == one->wait.number :
		       sock->id == one->wait.id;
}

/* Where a receive call closes it, on the CPU of the lookup that passed it by: one that
 * came before had it closed then already, one that came later found it. A task's
 * close() lets segments in between the socket's leaving and the record of that. */
static void note_close(struct held_segment *one,
		       const struct demux_close *close)
{
	bool is_late = close->head.mono_ns > one->record->mono_ns + PATIENCE_NS;
	bool is_after = close->how == DEMUX_UNHASHED && close->is_received &&
			close->head.cpu == one->record->cpu;

	one->wait.has_left = !is_late && !(one->wait.number && is_after);
	one->is_decided = true;
}

/* A later lookup found it, so it was still there: but that may have been quicker
 * on another CPU, and be what made it go. */
static void note_found(struct held_segment *one,
		       const struct demux_segment *seg)
{
	if (seg->sock.state == TCP_CLOSE ||
	    seg->head.mono_ns <= one->record->mono_ns)
		return;
	if (++one->found > 1 || seg->head.cpu == one->record->cpu)
		one->is_decided = true;
}

void held_note(struct held *held, const struct event *event)
{
	for (struct held_segment *one = held->first; one; one = one->next) {
		if (one->is_decided)
			continue;
		if (event->head->type == DEMUX_CLOSE &&
		    is_about(one, event, &event->close->sock))
			note_close(one, event->close);
		else if (event->head->type == DEMUX_SEGMENT &&
			 event->segment->have & DEMUX_HAVE_SOCK &&
			 is_about(one, event, &event->segment->sock))
			note_found(one, event->segment);
	}
}

void held_expire(struct held *held, uint64_t now_ns)
{
	for (struct held_segment *one = held->first; one; one = one->next)
		one->is_decided |= one->record->mono_ns + PATIENCE_NS < now_ns;
}

struct held_segment *held_next(struct held *held)
{
	struct held_segment **at = &held->first, *one;

	while (*at && !(*at)->is_decided)
		at = &(*at)->next;
	one = *at;
	if (one)
		*at = one->next;
	return one;
}

void held_free(struct held *held)
{
	struct held_segment *one;

	held_expire(held, UINT64_MAX);
	while ((one = held_next(held)))
		free(one);
}
