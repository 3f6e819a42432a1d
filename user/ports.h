/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ports.h - what happened on each local port, the model's bookkeeping for the
 * proof. Third stage.
 */
#ifndef PORTS_H
#define PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "htab.h"

struct port {
	struct htab_node node;
	uint16_t port;
	uint64_t listeners; /* sockets that listen, or listened */
	uint64_t sockets; /* full sockets that do not listen */
	uint64_t older; /* of these, were there before the trace */
	uint64_t segments; /* to this port; of UDP, datagrams */
	uint64_t matched; /* of these, to a socket, request or TIME_WAIT */
	uint64_t copies; /* UDP: what sockets got of them */
	uint64_t misdelivered; /* to a socket, unexplained: the proof counts */
	uint64_t explained; /* to a socket, by an exception; likewise */
	uint64_t remote_ends; /* that its sockets had */
	bool by_laddr; /* some have one remote end, and other local addresses */
	bool by_device; /* or are bound to other devices */
	bool peers_full; /* there are more than are kept */
	struct htab peers; /* one for each remote end, local address and device */
};

struct ports {
	struct htab table;
	uint64_t peers; /* kept, on all ports */
};

/* That port's row, made if it is new; NULL where memory ran out. */
struct port *ports_get(struct ports *ports, uint16_t number);

/* Notes the ends of a socket of @port; in another network namespace a remote end is
 * another one. 0 or -ENOMEM. */
int ports_add_peer(struct ports *ports, struct port *port,
		   const struct demux_sock *sock);

/* All rows by number, but for those that are about older sockets alone, of which
 * none listens and none got a segment; in an array for the caller to free. NULL
 * where memory ran out, or there is none. */
struct port **ports_sorted(struct ports *ports, size_t *count);

void ports_free(struct ports *ports);

#endif
