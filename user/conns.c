// SPDX-License-Identifier: GPL-2.0-only
/*
 * conns.c - where the sequence numbers of each connection begin. Third stage.
 */
#include "conns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A flood of SYNs makes as many; those beyond have no relative numbers. */
#define CONNS_MAX (1u << 20)

#define SYN 0x02
#define ACK 0x10

#define SYN_SENT 2 /* TCP_SYN_SENT */

/* One direction's segments: those of the remote end to the local one. */
struct conn {
	struct htab_node node;
	struct demux_ends ends;
	uint32_t netns;
	uint32_t seq; /* the remote end's number 0 */
	uint32_t ack; /* the local end's, if has_ack */
	bool has_ack;
	uint64_t seen_ns; /* last */
};

static uint64_t hash(const struct demux_ends *ends, uint32_t netns)
{
	uint64_t half[4], mixed;

	memcpy(half, ends->laddr, 16);
	memcpy(half + 2, ends->raddr, 16);
	mixed = htab_mix(netns, (uint64_t)ends->lport << 16 | ends->rport);
	for (int i = 0; i < 4; i++)
		mixed = htab_mix(mixed, half[i]);
	return mixed;
}

static struct conn *find(const struct conns *conns,
			 const struct demux_ends *ends, uint32_t netns)
{
	struct htab_node *node = htab_find(&conns->table, hash(ends, netns));

	for (; node; node = htab_next(node)) {
		struct conn *conn = htab_entry(node, struct conn, node);

		if (conn->netns == netns &&
		    !memcmp(&conn->ends, ends, sizeof(*ends)))
			return conn;
	}
	return NULL;
}

/* What the other end gets, where both are in one namespace, as on loopback. */
static struct conn *find_other(const struct conns *conns,
			       const struct demux_segment *seg)
{
	struct demux_ends ends = seg->ends;

	memcpy(ends.laddr, seg->ends.raddr, sizeof(ends.laddr));
	memcpy(ends.raddr, seg->ends.laddr, sizeof(ends.raddr));
	ends.lport = seg->ends.rport;
	ends.rport = seg->ends.lport;
	return find(conns, &ends, seg->netns);
}

static int add(struct conns *conns, const struct demux_segment *seg,
	       struct conn **to)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	int err;

	if (!conn)
		return -ENOMEM;
	conn->ends = seg->ends;
	conn->netns = seg->netns;
	err = htab_add(&conns->table, &conn->node,
		       hash(&seg->ends, seg->netns));
	if (err)
		free(conn);
	else
		*to = conn;
	return err;
}

static bool is_remembered(const struct conns *conns,
			  const struct demux_segment *seg)
{
	return seg->have & DEMUX_HAVE_OUTCOME &&
	       seg->outcome >= DEMUX_ESTABLISHED &&
	       seg->outcome <= DEMUX_TIME_WAIT &&
	       conns->table.count < CONNS_MAX;
}

static void begin(struct conns *conns, struct conn *conn,
		  const struct demux_segment *seg)
{
	const struct conn *other;

	conn->has_ack = false;
	conn->seq = seg->seq;
	if (seg->flags & SYN)
		return;
	other = find_other(conns, seg);
	conn->seq = other && other->has_ack ? other->ack : seg->seq - 1;
}

/* What the peer acknowledges first is this host's SYN, which has number 0. */
static void begin_ack(struct conns *conns, struct conn *conn,
		      const struct demux_segment *seg)
{
	const struct conn *other = find_other(conns, seg);

	conn->ack = other ? other->seq : seg->ack - 1;
	conn->has_ack = true;
}

/* A SYN to an open connection, or to a request, changes nothing. */
static bool is_another(const struct conn *conn, const struct demux_segment *seg)
{
	if (!(seg->flags & SYN) || seg->seq == conn->seq)
		return false;
	if (seg->outcome == DEMUX_TIME_WAIT)
		return seg->have & DEMUX_HAVE_PARENT;
	return seg->outcome == DEMUX_LISTENER ||
	       (seg->outcome == DEMUX_ESTABLISHED &&
		seg->sock.state == SYN_SENT);
}

/* An earlier ACK may have been no good; that which makes a child of a request
 * acknowledges just the SYN|ACK, and a SYN|ACK that is not answered with a reset
 * just the SYN. */
static bool is_right_ack(const struct demux_segment *seg)
{
	return seg->have & DEMUX_HAVE_CHILD ||
	       (seg->flags & SYN && seg->outcome == DEMUX_ESTABLISHED &&
		seg->sock.state == SYN_SENT &&
		!(seg->notes & DEMUX_NOTE_RESET));
}

int conns_note(struct conns *conns, const struct demux_segment *seg,
	       struct event_numbers *numbers)
{
	const uint32_t needed = DEMUX_HAVE_ADDRS | DEMUX_HAVE_PORTS |
				DEMUX_HAVE_TCP | DEMUX_HAVE_NETNS;
	struct conn *conn;
	bool is_new;
	int err;

	*numbers = (struct event_numbers){ 0 };
	if ((seg->have & needed) != needed || seg->outcome == DEMUX_MALFORMED)
		return 0;
	conn = find(conns, &seg->ends, seg->netns);
	is_new = !conn;
	if (!conn && is_remembered(conns, seg)) {
		err = add(conns, seg, &conn);
		if (err)
			return err;
	}
	if (!conn) {
		numbers->has_seq = seg->flags & SYN;
		return 0;
	}
	if (is_new || is_another(conn, seg))
		begin(conns, conn, seg);
	if (seg->flags & ACK && (!conn->has_ack || is_right_ack(seg)))
		begin_ack(conns, conn, seg);
	conn->seen_ns = seg->head.mono_ns;
	numbers->has_seq = true;
	numbers->seq = seg->seq - conn->seq;
	numbers->has_ack = seg->flags & ACK && conn->has_ack;
	numbers->ack = seg->ack - conn->ack;
	return 0;
}

struct sweep {
	struct conns *conns;
	uint64_t before_ns;
	bool (*is_open)(void *context, const struct demux_ends *ends,
			uint32_t netns);
	void *context;
};

static void sweep_one(struct htab_node *node, void *context)
{
	struct conn *conn = htab_entry(node, struct conn, node);
	const struct sweep *sweep = context;

	if (conn->seen_ns >= sweep->before_ns ||
	    sweep->is_open(sweep->context, &conn->ends, conn->netns))
		return;
	htab_remove(&sweep->conns->table, node);
	free(conn);
}

void conns_sweep(struct conns *conns, uint64_t before_ns,
		 bool (*is_open)(void *context, const struct demux_ends *ends,
				 uint32_t netns),
		 void *context)
{
	struct sweep sweep = { conns, before_ns, is_open, context };

	htab_each(&conns->table, sweep_one, &sweep);
}

static void free_one(struct htab_node *node, void *context)
{
	(void)context;
	free(htab_entry(node, struct conn, node));
}

void conns_free(struct conns *conns)
{
	htab_each(&conns->table, free_one, NULL);
	htab_free(&conns->table);
}
