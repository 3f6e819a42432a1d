// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_query.c - what other stages ask the model. Third stage.
 */
#include <string.h>

#include "classify.h"
#include "model_table.h"

bool model_owns(const struct model *model, uint64_t id, uint32_t pid)
{
	const struct model_sock *sock = model_find(model, id);

	return sock && ((sock->has_owner && sock->pid == pid) ||
			sock->parent_pid == pid);
}

static struct model_sock *first_with_ends(struct htab_node *node,
					  const struct demux_ends *ends,
					  uint32_t netns)
{
	for (; node; node = htab_next(node)) {
		struct model_sock *sock =
			htab_entry(node, struct model_sock, by_ends);

		if (sock->last.netns == netns &&
		    sock->last.state != TCP_LISTEN &&
		    !model_table_is_udp(&sock->last) &&
		    !model_table_is_mini(&sock->last) &&
		    same_ends(ends, &sock->last.ends))
			return sock;
	}
	return NULL;
}

struct model_sock *model_find_ends(const struct model *model,
				   const struct demux_ends *ends,
				   uint32_t netns)
{
	return first_with_ends(htab_find(&model->ends,
					 model_table_hash_ends(ends, netns)),
			       ends, netns);
}

struct model_sock *model_next_ends(const struct model_sock *after,
				   const struct demux_ends *ends)
{
	return first_with_ends(htab_next(&after->by_ends), ends,
			       after->last.netns);
}

#define LOOPBACK_IFINDEX 1 /* include/net/flow.h */

/* Would the lookup have given the segment to @one too, whose ends are those of
 * @sock? One that is bound to no device has what comes in by any, and may be found
 * before the one that is bound to that. What this host sent itself may have come by
 * another device than lo: where that was not asked for it is not known. */
static bool is_for_both(const struct demux_sock *one,
			const struct demux_sock *sock,
			const struct demux_segment *seg)
{
	if (one->ifindex == sock->ifindex)
		return !model_table_is_mini(sock);
	if (sock->ifindex)
		return false;
	if (seg->have & DEMUX_HAVE_SDIF)
		return one->ifindex == seg->ifindex ||
		       one->ifindex == seg->sdif;
	return one->ifindex == seg->ifindex && seg->ifindex != LOOPBACK_IFINDEX;
}

struct model_sock *model_find_twin(const struct model *model,
				   const struct demux_segment *seg,
				   const struct demux_sock *sock)
{
	struct model_sock *one = model_find_ends(model, &seg->ends, seg->netns);

	for (; one; one = model_next_ends(one, &seg->ends))
		if (one->born_ns < seg->head.mono_ns &&
		    one->last.id != sock->id &&
		    is_for_both(&one->last, sock, seg) &&
		    !(one->last.flags & DEMUX_SOCK_BY_ENDS))
			return one;
	return NULL;
}

/* Is it surer that @one was there, and could have taken it, than that @other was? */
static bool is_surer(const struct model_sock *one,
		     const struct model_sock *other, uint32_t sdif)
{
	if (!one || !other)
		return one;
	if (sdif && !one->last.ifindex != !other->last.ifindex)
		return one->last.ifindex;
	return model_since(one) < model_since(other);
}

/* One that is bound at @at, which is where it went or any. */
static struct model_sock *find_bound(const struct model *model,
				     const struct demux_ends *at,
				     const struct demux_arrival *got,
				     uint32_t ifindex, uint32_t sdif)
{
	struct htab_node *node =
		htab_find(&model->ends, model_table_hash_ends(at, got->netns));
	bool is_udp = got->head.type == DEMUX_DATAGRAM;
	struct model_sock *found = NULL;

	for (; node; node = htab_next(node)) {
		struct model_sock *sock =
			htab_entry(node, struct model_sock, by_ends);
		uint32_t device = sock->last.ifindex;

		if (sock->last.netns == got->netns &&
		    model_table_is_udp(&sock->last) == is_udp &&
		    (is_udp || sock->last.state == TCP_LISTEN) &&
		    !is_connected(&sock->last) &&
		    !(sock->last.flags & DEMUX_SOCK_BY_ENDS) &&
		    sock->born_ns < got->head.mono_ns &&
		    (!device || device == ifindex ||
		     (sdif && device == sdif)) &&
		    listens_for(&got->ends, &sock->last) &&
		    is_surer(sock, found, sdif))
			found = sock;
	}
	return found;
}

struct model_sock *model_find_bound(const struct model *model,
				    const struct demux_arrival *got,
				    uint32_t ifindex, uint32_t sdif)
{
	struct demux_ends at = { .family = got->ends.family,
				 .lport = got->ends.lport };
	struct model_sock *any = find_bound(model, &at, got, ifindex, sdif);
	struct model_sock *exact;

	memcpy(at.laddr, got->ends.laddr, sizeof(at.laddr));
	exact = find_bound(model, &at, got, ifindex, sdif);
	return is_surer(exact, any, sdif) ? exact : any;
}

struct model_sock *model_find_member(const struct model *model,
				     const struct demux_sock *sock,
				     const struct demux_arrival *got,
				     uint32_t ifindex, uint32_t sdif)
{
	struct demux_ends at = { .family = sock->ends.family,
				 .lport = sock->ends.lport };
	struct model_sock *member;

	memcpy(at.laddr, sock->ends.laddr, sizeof(at.laddr));
	member = find_bound(model, &at, got, ifindex, sdif);
	return member && member->last.flags & DEMUX_SOCK_REUSEPORT ? member :
								     NULL;
}

struct visit {
	model_visit visit;
	void *context;
};

static void visit_node(struct htab_node *node, void *context)
{
	const struct visit *to = context;

	to->visit(htab_entry(node, struct model_sock, by_id), to->context);
}

void model_each(struct model *model, model_visit visit, void *context)
{
	struct visit to = { visit, context };

	htab_each(&model->socks, visit_node, &to);
	for (struct model_sock *sock = model->dead; sock;
	     sock = sock->next_dead)
		if (sock->replaced) /* and therefore not in socks */
			visit(sock, context);
}

struct numbered {
	uint64_t number;
	struct model_sock *sock;
};

static void find_number(struct model_sock *sock, void *context)
{
	struct numbered *wanted = context;

	if (sock->number == wanted->number)
		wanted->sock = sock;
}

struct model_sock *model_find_number(struct model *model, uint64_t number)
{
	struct numbered wanted = { .number = number };

	model_each(model, find_number, &wanted);
	return wanted.sock;
}
