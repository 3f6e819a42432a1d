// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_accepts.c - puts the two halves of an accept together. Part of the live
 * source.
 */
#include "live_accepts.h"

#include <stdlib.h>
#include <string.h>

/* fd_install comes microseconds after accept(). What still waits then has no
 * descriptor, or the hook that would know it was skipped. */
#define PATIENCE_NS 200000000ull

struct waiting {
	struct htab_node by_sock;
	struct waiting *next, **at; /* *at points here */
	struct demux_accept accept;
};

void live_accepts_init(struct live_accepts *accepts)
{
	*accepts = (struct live_accepts){ 0 };
	accepts->last = &accepts->first;
}

static void take_out(struct live_accepts *accepts, struct waiting *waiting)
{
	accepts->out = waiting->accept;
	htab_remove(&accepts->by_sock, &waiting->by_sock);
	*waiting->at = waiting->next;
	if (waiting->next)
		waiting->next->at = waiting->at;
	else
		accepts->last = waiting->at;
	free(waiting);
}

static struct waiting *find(struct live_accepts *accepts, uint64_t sock)
{
	struct htab_node *node =
		htab_find(&accepts->by_sock, htab_mix(0, sock));

	for (; node; node = htab_next(node)) {
		struct waiting *waiting =
			htab_entry(node, struct waiting, by_sock);

		if (waiting->accept.sock.id == sock)
			return waiting;
	}
	return NULL;
}

static bool hold(struct live_accepts *accepts,
		 const struct demux_accept *accept)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting || htab_add(&accepts->by_sock, &waiting->by_sock,
				 htab_mix(0, accept->sock.id))) {
		free(waiting);
		return false;
	}
	waiting->accept = *accept;
	waiting->at = accepts->last;
	*accepts->last = waiting;
	accepts->last = &waiting->next;
	return true;
}

void *live_accepts_pass(struct live_accepts *accepts, void *record, size_t *len)
{
	const struct demux_head *head = record;
	const struct demux_accept *accept = record;
	const struct demux_fd *fd = record;
	struct waiting *waiting;

	/* Some backends know the descriptor at once. */
	if (head->type == DEMUX_ACCEPT && !(accept->have & DEMUX_HAVE_FD) &&
	    hold(accepts, accept))
		return NULL;
	if (head->type != DEMUX_FD)
		return record;
	waiting = find(accepts, fd->sock);
	if (!waiting)
		return NULL;
	take_out(accepts, waiting);
	accepts->out.fd = fd->fd;
	accepts->out.have |= DEMUX_HAVE_FD;
	*len = sizeof(accepts->out);
	return &accepts->out;
}

bool live_accepts_due(const struct live_accepts *accepts, uint64_t now_ns)
{
	/* It may have come later than now_ns was taken. */
	return accepts->first && now_ns > accepts->first->accept.head.mono_ns &&
	       now_ns - accepts->first->accept.head.mono_ns >= PATIENCE_NS;
}

struct demux_accept *live_accepts_give_up(struct live_accepts *accepts,
					  uint64_t now_ns)
{
	if (!live_accepts_due(accepts, now_ns))
		return NULL;
	take_out(accepts, accepts->first);
	return &accepts->out;
}

static void free_waiting(struct htab_node *node, void *context)
{
	(void)context;
	free(htab_entry(node, struct waiting, by_sock));
}

void live_accepts_free(struct live_accepts *accepts)
{
	htab_each(&accepts->by_sock, free_waiting, NULL);
	htab_free(&accepts->by_sock);
}
