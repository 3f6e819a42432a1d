// SPDX-License-Identifier: GPL-2.0-only
/*
 * ports.c - what happened on each local port. Third stage.
 */
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Some 60 bytes each; beyond it remote ends are not counted any more. */
#define PEERS_MAX 2000000

struct peer {
	struct htab_node node;
	uint8_t addr[16];
	uint32_t netns;
	uint16_t port;
	uint8_t family;
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

int ports_add_peer(struct ports *ports, struct port *port,
		   const struct demux_ends *ends, uint32_t netns)
{
	uint64_t words[2], hash;
	struct htab_node *node;
	struct peer *peer;

	memcpy(words, ends->raddr, sizeof(words));
	hash = htab_mix(htab_mix(htab_mix(ends->rport, words[0]), words[1]),
			(uint64_t)netns << 8 | ends->family);
	for (node = htab_find(&port->peers, hash); node;
	     node = htab_next(node)) {
		peer = htab_entry(node, struct peer, node);
		if (peer->port == ends->rport && peer->netns == netns &&
		    peer->family == ends->family &&
		    !memcmp(peer->addr, ends->raddr, sizeof(peer->addr)))
			return 0;
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
	peer->netns = netns;
	peer->port = ends->rport;
	peer->family = ends->family;
	ports->peers++;
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
