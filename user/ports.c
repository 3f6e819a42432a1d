// SPDX-License-Identifier: GPL-2.0-only
/*
 * ports.c - what happened on each local port. Third stage.
 */
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Some 80 bytes each; beyond it remote ends are not counted any more. */
#define PEERS_MAX 2000000

/* What sockets of one port can be told apart by, at one time. */
struct peer {
	struct htab_node node;
	uint8_t addr[16];
	uint32_t netns;
	uint16_t port;
	uint8_t family;
	uint8_t laddr[16];
	uint32_t ifindex;
};

struct port *ports_get(struct ports *ports, uint16_t number)
{
	uint64_t hash = htab_mix(0, number);
	struct htab_node *node = htab_find(&ports->table, hash);
	struct port *port;

	for (; node; node = htab_next(node)) {
		port = htab_entry(node, struct port, node);
		if (port->port == number)
			return port;
	}
	port = calloc(1, sizeof(*port));
	if (!port || htab_add(&ports->table, &port->node, hash)) {
		free(port);
		return NULL;
	}
	port->port = number;
	return port;
}

static bool has_remote_end(const struct peer *peer,
			   const struct demux_sock *sock)
{
	const struct demux_ends *ends = &sock->ends;

	return peer->port == ends->rport && peer->netns == sock->netns &&
	       peer->family == ends->family &&
	       !memcmp(peer->addr, ends->raddr, sizeof(peer->addr));
}

int ports_add_peer(struct ports *ports, struct port *port,
		   const struct demux_sock *sock)
{
	const struct demux_ends *ends = &sock->ends;
	bool is_new = true, by_laddr = false, by_device = false;
	uint64_t words[2], hash;
	struct htab_node *node;
	struct peer *peer;

	memcpy(words, ends->raddr, sizeof(words));
	hash = htab_mix(htab_mix(htab_mix(ends->rport, words[0]), words[1]),
			(uint64_t)sock->netns << 8 | ends->family);
	for (node = htab_find(&port->peers, hash); node;
	     node = htab_next(node)) {
		bool is_same_laddr;

		peer = htab_entry(node, struct peer, node);
		if (!has_remote_end(peer, sock))
			continue;
		is_new = false;
		is_same_laddr =
			!memcmp(peer->laddr, ends->laddr, sizeof(peer->laddr));
		if (is_same_laddr && peer->ifindex == sock->ifindex)
			return 0; /* by time alone */
		by_laddr |= !is_same_laddr;
		by_device |= is_same_laddr;
	}
	if (ports->peers >= PEERS_MAX) {
		port->peers_full = true;
		return 0;
	}
	peer = calloc(1, sizeof(*peer));
	if (!peer || htab_add(&port->peers, &peer->node, hash)) {
		free(peer);
		return -ENOMEM;
	}
	memcpy(peer->addr, ends->raddr, sizeof(peer->addr));
	memcpy(peer->laddr, ends->laddr, sizeof(peer->laddr));
	peer->netns = sock->netns;
	peer->port = ends->rport;
	peer->family = ends->family;
	peer->ifindex = sock->ifindex;
	ports->peers++;
	port->remote_ends += is_new;
	port->by_laddr |= by_laddr;
	port->by_device |= by_device;
	return 0;
}

struct sorting {
	struct port **rows;
	size_t count;
};

static void collect(struct htab_node *node, void *context)
{
	struct sorting *to = context;
	struct port *port = htab_entry(node, struct port, node);

	/* Not those of clients that were there before, and kept quiet. */
	if (port->segments || port->listeners || !port->older ||
	    port->sockets > port->older)
		to->rows[to->count++] = port;
}

static int by_number(const void *a, const void *b)
{
	const struct port *const *one = a, *const *other = b;

	return (*one)->port - (*other)->port;
}

struct port **ports_sorted(struct ports *ports, size_t *count)
{
	struct sorting to = { 0 };

	*count = 0;
	if (!ports->table.count)
		return NULL;
	to.rows = calloc(ports->table.count, sizeof(to.rows[0]));
	if (!to.rows)
		return NULL;
	htab_each(&ports->table, collect, &to);
	qsort(to.rows, to.count, sizeof(to.rows[0]), by_number);
	*count = to.count;
	return to.rows;
}

static void free_peer(struct htab_node *node, void *context)
{
	(void)context;
	free(htab_entry(node, struct peer, node));
}

static void free_port(struct htab_node *node, void *context)
{
	struct port *port = htab_entry(node, struct port, node);

	(void)context;
	htab_each(&port->peers, free_peer, NULL);
	htab_free(&port->peers);
	free(port);
}

void ports_free(struct ports *ports)
{
	htab_each(&ports->table, free_port, NULL);
	htab_free(&ports->table);
}
