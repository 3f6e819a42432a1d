// SPDX-License-Identifier: GPL-2.0-only
/*
 * model.c - the sockets of this trace, and what happened on each local port.
 * Third stage.
 */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"

#define NS_PER_S 1000000000ull

/* A record may come this much later than one with a later time. */
#define STRAGGLE_NS NS_PER_S
/* A close on another CPU may be told this much after it took effect. */
#define BYPASS_NS (NS_PER_S / 10)
/* Requests and TIME_WAIT sockets tell nobody when they go: after five SYN|ACK,
 * and after TCP_TIMEWAIT_LEN. */
#define REQUEST_IDLE_NS   (130 * NS_PER_S)
#define TIME_WAIT_IDLE_NS (65 * NS_PER_S)
#define SWEEP_NS          (10 * NS_PER_S)

enum {
	TIME_WAIT = 6,
	CLOSE = 7,
	LISTEN = 10,
	NEW_SYN_RECV = 12
};

static bool is_mini(const struct demux_sock *sock)
{
	return sock->state == TIME_WAIT || sock->state == NEW_SYN_RECV;
}

/* --- the socket table ---------------------------------------------------- */

static uint64_t hash_id(uint64_t id)
{
	return htab_mix(0, id);
}

/* An IPv4 segment's ends and those of an IPv6 socket that has them as
 * ::ffff:a.b.c.d differ in their first 12 bytes, so these are left out. */
static uint64_t hash_ends(const struct demux_ends *ends, uint32_t netns)
{
	size_t at = ends->family == 4 ? 0 : 12;
	uint32_t laddr, raddr;

	memcpy(&laddr, ends->laddr + at, sizeof(laddr));
	memcpy(&raddr, ends->raddr + at, sizeof(raddr));
	return htab_mix(htab_mix(netns, (uint64_t)laddr << 32 | raddr),
			(uint64_t)ends->lport << 16 | ends->rport);
}

static bool in_ends(const struct model_sock *sock)
{
	return sock->by_ends.hash;
}

static void drop_ends(struct model *model, struct model_sock *sock)
{
	if (in_ends(sock))
		htab_remove(&model->ends, &sock->by_ends);
	sock->by_ends.hash = 0;
}

struct model_sock *model_find(const struct model *model, uint64_t id)
{
	struct htab_node *node = htab_find(&model->socks, hash_id(id));

	for (; node; node = htab_next(node)) {
		struct model_sock *sock =
			htab_entry(node, struct model_sock, by_id);

		if (sock->last.id == id)
			return sock;
	}
	return NULL;
}

struct model_sock *model_find_ends(const struct model *model,
				   const struct demux_ends *ends,
				   uint32_t netns)
{
	struct htab_node *node =
		htab_find(&model->ends, hash_ends(ends, netns));

	for (; node; node = htab_next(node)) {
		struct model_sock *sock =
			htab_entry(node, struct model_sock, by_ends);

		if (sock->last.netns == netns &&
		    same_ends(ends, &sock->last.ends))
			return sock;
	}
	return NULL;
}

/* Keeps a socket that is gone until no record can speak of it any more. */
static void bury(struct model *model, struct model_sock *sock, uint64_t now_ns)
{
	drop_ends(model, sock);
	sock->destroyed_ns = now_ns ?: 1; /* 0 is: not yet */
	sock->next_dead = NULL;
	*model->dead_tail = sock;
	model->dead_tail = &sock->next_dead;
}

static void free_dead(struct model *model, uint64_t now_ns)
{
	struct model_sock *sock;

	while ((sock = model->dead) &&
	       sock->destroyed_ns + STRAGGLE_NS < now_ns) {
		model->dead = sock->next_dead;
		if (!model->dead)
			model->dead_tail = &model->dead;
		model->bypassed += sock->bypassed_ns != 0;
		drop_ends(model, sock); /* a straggler may have put it back */
		if (!sock->replaced)
			htab_remove(&model->socks, &sock->by_id);
		free(sock);
	}
}

/* Is what was just seen at @old's address another socket? */
static bool is_reborn(const struct model_sock *old,
		      const struct demux_sock *now, uint64_t now_ns)
{
	const struct demux_ends *was = &old->last.ends, *is = &now->ends;

	if (old->destroyed_ns)
		return now_ns > old->destroyed_ns;
	if (is_mini(&old->last) || is_mini(now))
		return old->last.state != now->state || !same_ends(was, is);
	if (now->state == CLOSE || old->last.state == CLOSE)
		return false; /* it may have given its port back already */
	/* Its close is told a moment before it takes effect. */
	if (old->closed_ns)
		return now_ns >
		       old->closed_ns + (same_ends(was, is) ? BYPASS_NS : 0);
	if (old->last.state == LISTEN || now->state == LISTEN)
		return was->lport && is->lport && was->lport != is->lport;
	return was->rport && !same_ends(was, is);
}

static struct model_sock *add(struct model *model,
			      const struct demux_sock *from, uint64_t now_ns)
{
	struct model_sock *sock = calloc(1, sizeof(*sock));

	if (!sock)
		return NULL;
	sock->last = *from;
	if (htab_add(&model->socks, &sock->by_id, hash_id(from->id))) {
		free(sock);
		return NULL;
	}
	sock->number = ++model->numbers;
	sock->born_ns = now_ns;
	return sock;
}

/* --- what is met --------------------------------------------------------- */

static int count_sock(struct model *model, struct model_sock *sock)
{
	struct port *port;

	if (sock->counted || is_mini(&sock->last) || !sock->last.ends.lport)
		return 0;
	if (sock->last.state != LISTEN && !sock->last.ends.rport)
		return 0; /* not connected */
	port = ports_get(&model->ports, sock->last.ends.lport);
	if (!port)
		return -ENOMEM;
	sock->counted = true;
	if (sock->last.state == LISTEN) {
		port->listeners++;
		return 0;
	}
	port->sockets++;
	if (!in_ends(sock) && !sock->closed_ns) {
		uint64_t hash = hash_ends(&sock->last.ends, sock->last.netns);

		if (htab_add(&model->ends, &sock->by_ends, hash ?: 1))
			return -ENOMEM;
	}
	return ports_add_peer(&model->ports, port, &sock->last.ends,
			      sock->last.netns);
}

/* --- events ------------------------------------------------------------------ */

/* Finds, or makes, the socket that @from is a sight of; *to stays NULL only
 * where memory ran out. */
static int meet(struct model *model, const struct demux_sock *from,
		uint64_t now_ns, struct model_sock **to)
{
	struct model_sock *sock = model_find(model, from->id);

	if (sock && is_reborn(sock, from, now_ns)) {
		if (!sock->destroyed_ns)
			bury(model, sock, now_ns);
		/* The slab gives the same few addresses out at once. */
		htab_remove(&model->socks, &sock->by_id);
		sock->replaced = true;
		sock = NULL;
	}
	if (!sock)
		sock = add(model, from, now_ns);
	*to = sock;
	if (!sock)
		return -ENOMEM;
	if (from->state != CLOSE)
		sock->last = *from;
	sock->seen_ns = now_ns;
	return count_sock(model, sock);
}

static void own(struct model_sock *sock, uint32_t pid, const char *comm)
{
	sock->has_owner = true;
	sock->pid = pid;
	memcpy(sock->comm, comm, sizeof(sock->comm));
}

static int apply_segment(struct model *model, struct event *event)
{
	const struct demux_segment *seg = event->segment;
	uint64_t now_ns = seg->head.mono_ns;
	struct model_sock *sock = NULL, *parent = NULL, *child = NULL;
	struct port *port;
	int err = 0;

	if (seg->have & DEMUX_HAVE_SOCK)
		err = meet(model, &seg->sock, now_ns, &sock);
	if (!err && event->with_parent)
		err = meet(model, event->with_parent, now_ns, &parent);
	if (!err && event->with_child)
		err = meet(model, event->with_child, now_ns, &child);
	if (err)
		return err;
	if (sock)
		sock->segments++;
	if (parent && sock && is_mini(&sock->last))
		sock->parent = parent->number;
	if (parent && child) {
		child->parent = parent->number;
		child->parent_pid = parent->has_owner ? parent->pid : 0;
	}
	/* A request ends when its child is born, a TIME_WAIT socket when a SYN
	 * reopens it; what is seen there later is another. */
	if (sock && parent && is_mini(&sock->last) && !sock->destroyed_ns &&
	    (child || sock->last.state == TIME_WAIT))
		bury(model, sock, now_ns);
	event->sock = sock;
	event->parent = parent;
	event->child = child;
	if (!(seg->have & DEMUX_HAVE_PORTS))
		return 0;
	port = ports_get(&model->ports, seg->ends.lport);
	if (!port)
		return -ENOMEM;
	port->segments++;
	port->matched += sock && seg->outcome >= DEMUX_ESTABLISHED &&
			 seg->outcome <= DEMUX_TIME_WAIT;
	return 0;
}

static int apply_accept(struct model *model, struct event *event)
{
	const struct demux_accept *accept = event->accept;
	struct model_sock *sock, *listener = NULL;
	int err = meet(model, &accept->sock, accept->head.mono_ns, &sock);

	if (err)
		return err;
	model->accepted++;
	own(sock, accept->pid, accept->comm);
	sock->has_fd = accept->have & DEMUX_HAVE_FD;
	sock->fd = accept->fd;
	sock->has_inode = accept->have & DEMUX_HAVE_INODE;
	sock->inode = accept->inode;
	if (accept->have & DEMUX_HAVE_LISTENER)
		listener = model_find(model, accept->listener);
	if (listener && !listener->has_owner)
		own(listener, accept->pid, accept->comm);
	if (listener && !sock->parent)
		sock->parent = listener->number;
	event->sock = sock;
	event->parent = listener;
	return 0;
}

static int apply_listen(struct model *model, struct event *event)
{
	const struct demux_listen *listen = event->listen;
	struct model_sock *sock;
	int err = meet(model, &listen->sock, listen->head.mono_ns, &sock);

	if (err)
		return err;
	own(sock, listen->pid, listen->comm);
	event->sock = sock;
	return 0;
}

static int apply_close(struct model *model, struct event *event)
{
	const struct demux_close *close = event->close;
	uint64_t now_ns = close->head.mono_ns;
	struct model_sock *sock = model_find(model, close->sock.id);
	int err;

	/* One that no segment met has a number too, so that nothing is hidden,
	 * but its second farewell says nothing. */
	if (!sock || (sock->destroyed_ns && now_ns > sock->destroyed_ns)) {
		err = meet(model, &close->sock, now_ns, &sock);
		if (err)
			return err;
	}
	event->sock = sock;
	event->repeated = sock->closed_ns != 0;
	if (!sock->closed_ns)
		sock->closed_ns = now_ns ?: 1;
	if (sock->bypassed_ns + BYPASS_NS > now_ns)
		sock->bypassed_ns = 0;
	drop_ends(model, sock);
	if (close->how == DEMUX_DESTROYED && !sock->destroyed_ns)
		bury(model, sock, now_ns);
	return 0;
}

static void drop_idle_mini(struct htab_node *node, void *context)
{
	struct model_sock *sock = htab_entry(node, struct model_sock, by_id);
	struct model *model = context;
	uint64_t end_ns = sock->seen_ns + (sock->last.state == TIME_WAIT ?
						   TIME_WAIT_IDLE_NS :
						   REQUEST_IDLE_NS);

	if (is_mini(&sock->last) && !sock->destroyed_ns &&
	    end_ns < model->swept_ns)
		bury(model, sock, end_ns);
}

int model_apply(struct model *model, struct event *event)
{
	uint64_t now_ns = event->head->mono_ns;

	free_dead(model, now_ns);
	if (now_ns > model->swept_ns + SWEEP_NS) {
		model->swept_ns = now_ns;
		htab_each(&model->socks, drop_idle_mini, model);
	}
	switch (event->head->type) {
	case DEMUX_SEGMENT:
		return apply_segment(model, event);
	case DEMUX_ACCEPT:
		return apply_accept(model, event);
	case DEMUX_LISTEN:
		return apply_listen(model, event);
	case DEMUX_CLOSE:
		return apply_close(model, event);
	}
	return 0;
}

/* --- begin and end --------------------------------------------------------- */

void model_init(struct model *model)
{
	*model = (struct model){ 0 };
	model->dead_tail = &model->dead;
}

static void free_sock(struct htab_node *node, void *context)
{
	(void)context;
	free(htab_entry(node, struct model_sock, by_id));
}

void model_free(struct model *model)
{
	free_dead(model, UINT64_MAX);
	htab_each(&model->socks, free_sock, NULL);
	htab_free(&model->socks);
	htab_free(&model->ends);
	ports_free(&model->ports);
}
