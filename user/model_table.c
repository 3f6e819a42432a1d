// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_table.c - which socket is which: the tables that a sight of one is
 * looked up in, births and burials. Third stage.
 */
#include "model_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "model_holders.h"

/* So many that are gone are kept, by a model that keeps all. */
#define DEAD_MAX 100000

/* A record may come this much later than one with a later time. */
#define STRAGGLE_NS NS_PER_S

/* Between the hook on a UDP socket's end and its unhashing. */
#define UNBIND_NS (NS_PER_S / 1000)

/* --- the tables ------------------------------------------------------------ */

static uint64_t hash_id(uint64_t id)
{
	return htab_mix(0, id);
}

uint64_t model_table_hash_ends(const struct demux_ends *ends, uint32_t netns)
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

void model_table_own(struct model_sock *sock, uint32_t pid, const char *comm)
{
	sock->has_owner = true;
	sock->pid = pid;
	memcpy(sock->comm, comm, sizeof(sock->comm));
	if (!sock->owners)
		sock->owners = 1;
}

void model_table_drop_ends(struct model *model, struct model_sock *sock)
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

void model_table_bury(struct model *model, struct model_sock *sock,
		      uint64_t now_ns)
{
	model_table_drop_ends(model, sock);
	sock->destroyed_ns = now_ns ?: 1; /* 0 is: not yet */
	model->dead_count++;
	*model->dead_tail = sock;
	model->dead_tail = &sock->next_dead;
}

/* Would the lookup have found @sock, which has the segment's two ends? Of one that
 * is bound to no device: if the kernel lets those have what comes in by a VRF, as it
 * did a listener's segment that is bound to none either. */
static bool takes_device(const struct demux_sock *sock,
			 const struct demux_segment *seg)
{
	if (!sock->ifindex)
		return !seg->sdif || !seg->sock.ifindex;
	return sock->ifindex == seg->ifindex || sock->ifindex == seg->sdif;
}

void model_table_pass_by(struct model *model, const struct demux_segment *seg)
{
	struct htab_node *next, *node;

	if (seg->outcome != DEMUX_LISTENER || seg->predicted ||
	    (seg->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) != TCP_FLAG_SYN ||
	    (seg->have & DEMUX_HAVE_VIA && seg->via == DEMUX_ASSIGNED) ||
	    !listens_for(&seg->ends, &seg->sock))
		return;
	node = htab_find(&model->ends,
			 model_table_hash_ends(&seg->ends, seg->netns));
	for (; node; node = next) {
		struct model_sock *sock =
			htab_entry(node, struct model_sock, by_ends);

		next = htab_next(node);
		if (sock->last.netns == seg->netns &&
		    model_table_is_mini(&sock->last) &&
		    sock->seen_ns < seg->head.mono_ns &&
		    same_ends(&seg->ends, &sock->last.ends) &&
		    takes_device(&sock->last, seg))
			model_table_bury(model, sock, seg->head.mono_ns);
	}
}

void model_table_free(struct model_sock *sock)
{
	model_holders_free(sock);
	free(sock);
}

void model_table_free_dead(struct model *model, uint64_t now_ns)
{
	struct model_sock *sock;

	while ((sock = model->dead) &&
	       sock->destroyed_ns + STRAGGLE_NS < now_ns &&
	       (!model->keeps_all || model->dead_count > DEAD_MAX)) {
		model->dead_count--;
		model->forgotten += !model_table_is_mini(&sock->last);
		model->dead = sock->next_dead;
		if (!model->dead)
			model->dead_tail = &model->dead;
		if (!sock->replaced)
			htab_remove(&model->socks, &sock->by_id);
		model_table_free(sock);
	}
}

/* Are these two not the ends of one connection? IPV6_ADDRFORM makes a socket of IPv4
 * of one of IPv6. */
static bool are_other_ends(const struct demux_ends *was,
			   const struct demux_ends *is)
{
	return !same_ends(was, is) && !same_ends(is, was);
}

/* Is what is closing there the connection that @old was? It may have given its port
 * back. */
static bool is_rest_of(const struct demux_ends *old,
		       const struct demux_sock *now)
{
	struct demux_ends ends = now->ends;

	if (!ends.lport)
		ends.lport = old->lport;
	return old->rport && is_closing(now) && same_ends(old, &ends);
}

/* Is what was just seen at @old's address another socket? */
static bool is_reborn(const struct model_sock *old,
		      const struct demux_sock *now, uint64_t now_ns)
{
	const struct demux_ends *was = &old->last.ends, *is = &now->ends;

	if (model_table_is_udp(&old->last) != model_table_is_udp(now) ||
	    old->last.netns != now->netns)
		return true;
	/* Its end is told a moment before it is out of the lookup tables. It may
	 * be connected, and connected again, and not be. */
	if (model_table_is_udp(now))
		return old->destroyed_ns ?
			       now_ns > old->destroyed_ns + UNBIND_NS :
			       was->lport && is->lport &&
				       was->lport != is->lport;
	/* Early demux may have found it before, and so still have it. */
	if (old->destroyed_ns)
		return now_ns > old->destroyed_ns +
					(is_rest_of(was, now) ? BYPASS_NS : 0);
	if (model_table_is_mini(&old->last) || model_table_is_mini(now))
		return old->last.state != now->state || !same_ends(was, is);
	if (is_closing(now) || is_closing(&old->last))
		return false; /* it may have given its port back already */
	/* Its close is told a moment before it takes effect. One that connects was
	 * disconnected, and is another connection. */
	if (old->closed_ns && now->state != TCP_SYN_SENT && same_ends(was, is))
		return now_ns > old->closed_ns + BYPASS_NS;
	if (old->closed_ns)
		return now_ns > old->closed_ns;
	if (old->last.state == TCP_LISTEN || now->state == TCP_LISTEN)
		return was->lport != is->lport;
	return was->rport && are_other_ends(was, is);
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

/* --- known by their ends alone --------------------------------------------- */

static bool is_by_ends(const struct demux_sock *sock)
{
	return sock->flags & DEMUX_SOCK_BY_ENDS;
}

/* Can both be sights of one socket, going by their states? */
static bool is_same_kind(const struct demux_sock *a, const struct demux_sock *b)
{
	if (model_table_is_udp(a) != model_table_is_udp(b))
		return false;
	if (model_table_is_mini(a) || model_table_is_mini(b))
		return a->state == b->state;
	if (is_closing(a) || is_closing(b))
		return true;
	return (a->state == TCP_LISTEN) == (b->state == TCP_LISTEN);
}

/*
 * Where one of two sights of a socket has no address, its ends tell that it is
 * the same, and its device, unless it was bound to that just now. Several listeners
 * may share theirs (SO_REUSEPORT): then nothing tells which one it is. NULL for none
 * or several.
 */
static struct model_sock *find_alike(const struct model *model,
				     const struct demux_sock *from,
				     bool is_rebound)
{
	struct htab_node *node = htab_find(
		&model->ends, model_table_hash_ends(&from->ends, from->netns));
	struct model_sock *found = NULL;

	for (; node; node = htab_next(node)) {
		struct model_sock *sock =
			htab_entry(node, struct model_sock, by_ends);

		if (is_by_ends(&sock->last) == is_by_ends(from) ||
		    sock->last.netns != from->netns ||
		    (!is_rebound && sock->last.ifindex != from->ifindex) ||
		    memcmp(&sock->last.ends, &from->ends, sizeof(from->ends)) ||
		    !is_same_kind(&sock->last, from))
			continue;
		if (found)
			return NULL;
		found = sock;
	}
	return found;
}

/* From now on @sock is known by its address as well. */
static int adopt(struct model *model, struct model_sock *sock,
		 const struct demux_sock *from)
{
	htab_remove(&model->socks, &sock->by_id);
	sock->last.id = from->id;
	sock->last.flags = from->flags;
	return htab_add(&model->socks, &sock->by_id, hash_id(from->id));
}

/* --- what is met ----------------------------------------------------------- */

static int note_ends(struct model *model, struct model_sock *sock)
{
	uint64_t hash =
		model_table_hash_ends(&sock->last.ends, sock->last.netns);

	if (in_ends(sock) || model_is_gone(sock))
		return 0;
	return htab_add(&model->ends, &sock->by_ends, hash ?: 1);
}

static int count_sock(struct model *model, struct model_sock *sock)
{
	struct port *port;
	int err;

	if (sock->counted || !sock->last.ends.lport)
		return 0;
	if (model_table_is_mini(&sock->last))
		return note_ends(model, sock);
	if (sock->last.state != TCP_LISTEN && !sock->last.ends.rport &&
	    !model_table_is_udp(&sock->last))
		return 0; /* not connected */
	port = ports_get(model_table_ports(model, &sock->last),
			 sock->last.ends.lport);
	if (!port)
		return -ENOMEM;
	sock->counted = true;
	err = note_ends(model, sock);
	if (err)
		return err;
	if (sock->last.state == TCP_LISTEN) {
		port->listeners++;
		return 0;
	}
	port->sockets++;
	if (model_table_is_udp(&sock->last))
		return 0; /* its remote end may come and go */
	return ports_add_peer(&model->ports, port, &sock->last);
}

/* Takes over what was just seen of @sock. A UDP socket may be connected, and
 * elsewhere, and no more: it stays the same. */
static int note_sight(struct model *model, struct model_sock *sock,
		      const struct demux_sock *now, uint64_t now_ns)
{
	bool is_moved = model_table_is_udp(now) &&
			memcmp(&sock->last.ends, &now->ends, sizeof(now->ends));
	uint32_t ifindex = now_ns < sock->rebound_ns ? sock->last.ifindex :
						       now->ifindex;

	if (is_moved && is_connected(now))
		sock->connected_ns = now_ns;
	if (is_moved)
		model_table_drop_ends(model, sock);
	sock->last = *now;
	sock->last.ifindex = ifindex;
	return is_moved && sock->counted ? note_ends(model, sock) : 0;
}

static int meet(struct model *model, const struct demux_sock *from,
		bool is_rebound, uint64_t now_ns, struct model_sock **to)
{
	struct model_sock *sock = model_find(model, from->id);
	int err = 0;

	if (sock && is_reborn(sock, from, now_ns)) {
		if (!sock->destroyed_ns)
			model_table_bury(model, sock, now_ns);
		/* The slab gives the same few addresses out at once. */
		htab_remove(&model->socks, &sock->by_id);
		sock->replaced = true;
		sock = NULL;
	}
	if (!sock) {
		sock = find_alike(model, from, is_rebound);
		if (sock && !is_by_ends(from))
			err = adopt(model, sock, from);
	}
	if (!sock)
		sock = add(model, from, now_ns);
	*to = sock;
	if (!sock || err)
		return -ENOMEM;
	if (is_closing(from) && !model_table_is_udp(from))
		; /* it may have given its port back already */
	else if (is_by_ends(from) == is_by_ends(&sock->last))
		err = note_sight(model, sock, from, now_ns);
	else
		sock->last.state = from->state;
	if (err)
		return err;
	sock->seen_ns = now_ns;
	return count_sock(model, sock);
}

int model_table_meet(struct model *model, const struct demux_sock *from,
		     uint64_t now_ns, struct model_sock **to)
{
	return meet(model, from, false, now_ns, to);
}

int model_table_meet_rebound(struct model *model, const struct demux_sock *from,
			     uint64_t now_ns, struct model_sock **to)
{
	return meet(model, from, true, now_ns, to);
}
