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
	void *record;

	if (held->count == held->room) {
		size_t room = held->room ? 2 * held->room : 16;
		struct held_segment *all =
			reallocarray(held->all, room, sizeof(*all));

		if (!all)
			return -ENOMEM;
		held->all = all;
		held->room = room;
	}
	record = malloc(event->head->len);
	if (!record)
		return -ENOMEM;
	memcpy(record, event->head, event->head->len);
	held->all[held->count++] = (struct held_segment){
		.record = record,
		.wait = *wait,
	};
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

	one->wait.has_left = !is_late && !(one->wait.was_passed_by && is_after);
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
	for (size_t i = 0; i < held->count; i++) {
		struct held_segment *one = &held->all[i];

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
	for (size_t i = 0; i < held->count; i++)
		held->all[i].is_decided |=
			held->all[i].record->mono_ns + PATIENCE_NS < now_ns;
}

bool held_next(struct held *held, struct held_segment *to)
{
	for (size_t i = 0; i < held->count; i++) {
		if (!held->all[i].is_decided)
			continue;
		*to = held->all[i];
		memmove(held->all + i, held->all + i + 1,
			(--held->count - i) * sizeof(*to));
		return true;
	}
	return false;
}

void held_free(struct held *held)
{
	for (size_t i = 0; i < held->count; i++)
		free((void *)held->all[i].record);
	free(held->all);
	*held = (struct held){ 0 };
}
