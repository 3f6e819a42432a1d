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

/* The socket of a record that may decide, or NULL. */
static const struct demux_sock *sock_of(const struct demux_head *head)
{
	const struct demux_segment *seg = (const void *)head;

	switch (head->type) {
	case DEMUX_SEGMENT:
		return seg->have & DEMUX_HAVE_SOCK ? &seg->sock : NULL;
	case DEMUX_CLOSE:
		return &((const struct demux_close *)(const void *)head)->sock;
	case DEMUX_DEVICE:
		return &((const struct demux_device *)(const void *)head)->sock;
	case DEMUX_BIND:
		return &((const struct demux_accept *)(const void *)head)->sock;
	}
	return NULL;
}

static struct held_about *find_about(const struct held *held, uint64_t id)
{
	struct htab_node *node = htab_find(&held->abouts, htab_mix(0, id));

	for (; node; node = htab_next(node)) {
		struct held_about *about =
			htab_entry(node, struct held_about, by_id);

		if (about->id == id)
			return about;
	}
	return NULL;
}

static struct held_about *add_about(struct held *held, uint64_t id)
{
	struct held_about *about = calloc(1, sizeof(*about));

	if (!about)
		return NULL;
	about->id = id;
	if (!htab_add(&held->abouts, &about->by_id, htab_mix(0, id)))
		return about;
	free(about);
	return NULL;
}

static size_t *count_of(const struct held_record *one)
{
	return one->head->type == DEMUX_SEGMENT ? &one->about->found :
						  &one->about->calls;
}

/* It is held no more. */
static void leave(struct held *held, struct held_record *one)
{
	struct held_about *about = one->about;

	held->first = one->next;
	if (!about)
		return;
	--*count_of(one);
	if (about->calls || about->found)
		return;
	htab_remove(&held->abouts, &about->by_id);
	free(about);
}

int held_add(struct held *held, const struct demux_head *head)
{
	struct held_record *one = malloc(sizeof(*one) + head->len);
	const struct demux_sock *sock = sock_of(head);

	if (!one)
		return -ENOMEM;
	*one = (struct held_record){
		.head = memcpy(one + 1, head, head->len),
	};
	if (sock) {
		one->about = find_about(held, sock->id) ?:
				     add_about(held, sock->id);
		if (!one->about) {
			free(one);
			return -ENOMEM;
		}
		++*count_of(one);
	}
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
	const struct demux_sock *sock = sock_of(head);

	if (held->wait.fate || !sock || !is_about(held, sock))
		return;
	switch (head->type) {
	case DEMUX_SEGMENT:
		note_found(held, (const void *)head);
		break;
	case DEMUX_CLOSE:
		note_close(held, (const void *)head);
		break;
	case DEMUX_DEVICE:
	case DEMUX_BIND: /* connect() to a link-local address */
		note_device(held, head->mono_ns, sock->ifindex);
		break;
	}
}

/* Is one behind the first about the socket that is waited for? With many that pass
 * others by there is no time to look at each. */
static bool is_met(const struct held *held)
{
	const struct held_about *about = find_about(held, held->wait.id);

	if (held->wait.is_by_ends)
		return true;
	if (!about || about->calls)
		return about;
	return held->wait.awaited != AWAITED_BOUND &&
	       about->found > (about == held->first->about);
}

void held_wait(struct held *held, const struct judge_wait *wait)
{
	held->waits = true;
	held->wait = *wait;
	held->is_found = false;
	/* What is behind? */
	if (is_met(held))
		for (const struct held_record *one = held->first->next;
		     one && !held->wait.fate; one = one->next)
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
	leave(held, one);
	return one;
}

void held_free(struct held *held)
{
	while (held->first) {
		struct held_record *one = held->first;

		leave(held, one);
		free(one);
	}
	htab_free(&held->abouts);
}
