// SPDX-License-Identifier: GPL-2.0-only
/*
 * held.c - a segment that waits for its verdict, and what came after it. Fourth
 * stage, part of the proof.
 */
#include "held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"

/* A close on another CPU may be told this much after it took effect. */
#define PATIENCE_NS 100000000ull

int held_add(struct held *held, const struct demux_head *head)
{
	struct held_record *one = malloc(sizeof(*one) + head->len);

	if (!one)
		return -ENOMEM;
	*one = (struct held_record){
		.head = memcpy(one + 1, head, head->len),
	};
	if (held->first)
		held->last->next = one;
	else
		held->first = one;
	held->last = one;
	return 0;
}

/* The segment that waits. */
static const struct demux_segment *waiting(const struct held *held)
{
	return (const void *)held->first->head;
}

/* One that is known by its ends alone shows its address with its next record. */
static bool is_about(const struct held *held, const struct demux_sock *sock)
{
	const struct demux_segment *seg = waiting(held);

	if (sock->id == held->wait.id)
		return true;
	return held->wait.is_by_ends && !(sock->flags & DEMUX_SOCK_UDP) &&
	       sock->netns == seg->netns && same_ends(&seg->ends, &sock->ends);
}

/* Where a receive call closes it, on the CPU of the lookup that passed it by: one that
 * came before had it closed then already, one that came later found it. A task's
 * close() lets segments in between the socket's leaving and the record of that. */
static void note_close(struct held *held, const struct demux_close *close)
{
	const struct demux_head *of = held->first->head;
	bool is_late = close->head.mono_ns > of->mono_ns + PATIENCE_NS;
	bool is_after = close->how == DEMUX_UNHASHED && close->is_received &&
			close->head.cpu == of->cpu;

	held->wait.fate =
		is_late || (held->wait.awaited == AWAITED_OTHER && is_after) ?
			FATE_STAYED :
			FATE_LEFT;
}

/* A later lookup found it, so it was still there: but that may have been quicker
 * on another CPU, and be what made it go. Of two on that CPU, the later one began
 * when the first was told, and that was after the one that waits. */
static void note_found(struct held *held, const struct demux_segment *seg)
{
	const struct demux_head *of = held->first->head;

	if (seg->sock.state == TCP_CLOSE || seg->head.mono_ns <= of->mono_ns ||
	    held->wait.awaited == AWAITED_BOUND)
		return;
	if (seg->head.cpu == of->cpu ||
	    (held->is_found && seg->head.cpu == held->found_cpu))
		held->wait.fate = FATE_STAYED;
	if (held->is_found)
		return;
	held->is_found = true;
	held->found_cpu = seg->head.cpu;
}

/* Its device may be another than the lookup met: who got the segment was bound to
 * what is told of it since, @to, who was passed by is by now. */
static void note_device(struct held *held, uint64_t mono_ns, uint32_t to)
{
	bool is_late = mono_ns > held->first->head->mono_ns + PATIENCE_NS;

	if (held->wait.awaited == AWAITED_BOUND ?
		    to != held->wait.ifindex :
		    held->wait.awaited == AWAITED_MATCH || !to ||
			    to == held->wait.ifindex)
		return;
	held->wait.fate = is_late ? FATE_STAYED : FATE_REBOUND;
}

static void look_at(struct held *held, const struct demux_head *head)
{
	const struct demux_device *device = (const void *)head;
	const struct demux_close *close = (const void *)head;
	const struct demux_accept *bind = (const void *)head;
	const struct demux_segment *seg = (const void *)head;

	if (held->wait.fate)
		return;
	if (head->type == DEMUX_CLOSE && is_about(held, &close->sock)) {
		held->is_met = true;
		note_close(held, close);
	} else if (head->type == DEMUX_DEVICE &&
		   is_about(held, &device->sock)) {
		held->is_met = true;
		note_device(held, head->mono_ns, device->sock.ifindex);
	} else if (head->type == DEMUX_BIND && is_about(held, &bind->sock)) {
		held->is_met = true;
		/* A connect() to a link-local address binds it to its device. */
		note_device(held, head->mono_ns, bind->sock.ifindex);
	} else if (head->type == DEMUX_SEGMENT && seg->have & DEMUX_HAVE_SOCK &&
		   is_about(held, &seg->sock)) {
		held->is_met = true;
		note_found(held, seg);
	}
}

void held_wait(struct held *held, const struct judge_wait *wait)
{
	/* So it is with many that pass the same one by: no need to look for it
	 * once more. */
	bool is_unmet = held->wait.id == wait->id && !held->wait.is_by_ends &&
			!held->is_met;

	held->waits = true;
	held->wait = *wait;
	/* What is behind? */
	held->is_met = wait->fate;
	held->is_found = false;
	for (const struct held_record *one = held->first->next;
	     one && !is_unmet && !held->wait.fate; one = one->next)
		look_at(held, one->head);
	held_expire(held, held->now_ns);
}

void held_see(struct held *held, const struct event *event)
{
	if (held->waits)
		look_at(held, event->head);
	held_expire(held, event->head->mono_ns);
}

void held_expire(struct held *held, uint64_t now_ns)
{
	if (now_ns > held->now_ns)
		held->now_ns = now_ns;
	if (!held->wait.fate && held->waits &&
	    held->now_ns > held->first->head->mono_ns &&
	    held->now_ns - held->first->head->mono_ns > PATIENCE_NS)
		held->wait.fate = FATE_STAYED;
}

struct held_record *held_next(struct held *held, struct judge_wait *wait,
			      const struct judge_wait **waited)
{
	struct held_record *one = held->first;

	*waited = NULL;
	if (!one || (held->waits && !held->wait.fate))
		return NULL;
	if (held->waits) {
		*wait = held->wait;
		*waited = wait;
	}
	held->waits = false;
	held->first = one->next;
	return one;
}

void held_free(struct held *held)
{
	while (held->first) {
		struct held_record *one = held->first;

		held->first = one->next;
		free(one);
	}
}
