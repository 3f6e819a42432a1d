/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * decode.h - raw bytes become a checked event; nothing after this stage sees
 * raw bytes. Second stage.
 */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

struct model;
struct model_sock;
struct recording_head;
struct summary;

/* A segment's, relative to where they begin, modulo 2^32. */
struct event_numbers {
	bool has_seq, has_ack;
	__u32 seq, ack;
};

/* One record on its way through the stages; each adds what it found out. */
struct event {
	const struct recording_head *trace; /* what the whole trace shares */

	/* decode: what came, checked. The bytes stay the source's. */
	const struct demux_head *head;
	union {
		const struct demux_arrival *arrival; /* of the next two */
		const struct demux_segment *segment;
		const struct demux_datagram *datagram;
		const struct demux_accept *accept;
		const struct demux_listen *listen;
		const struct demux_close *close;
		const struct demux_device *device;
		const struct demux_end *end;
		const struct demux_reason *reason;
	};
	const struct demux_sock *with_parent; /* NULL unless the record has it */
	const struct demux_sock *with_child;
	const struct demux_why *with_why;
	/* DEMUX_END of a trace that UDP was asked for; else NULL. */
	const struct demux_datagram_counters *datagrams;

	/* model: the sockets it speaks of, NULL where unknown. They stay until
	 * the next event is applied. */
	const struct model_sock *sock;
	const struct model_sock *parent;
	const struct model_sock *child;
	bool repeated; /* says nothing new: a socket closes twice */
	bool is_first; /* record of its datagram that was asked for */
	const char *drop_reason; /* its name, NULL unknown */
	unsigned char detail; /* enum demux_detail, 0: not known */
	const struct model_sock *candidate[DEMUX_CANDIDATES]; /* of with_why */
	struct event_numbers numbers; /* see conns.h */

	/* proof */
	unsigned char verdict; /* enum verdict of proof.h, 0: not judged */
	const char *why; /* where it is not proved */
	const struct summary *summary; /* DEMUX_END only */
	struct model *model; /* likewise: all sockets, as they are at the end */

	bool listed; /* a row of the list of sockets: of no one moment */
};

/* What one socket, or nobody, got of a datagram. */
static inline bool event_is_datagram(const struct event *event)
{
	return event->head->type == DEMUX_DATAGRAM;
}

/* Something that came in, and no socket's doing; has event->arrival. */
static inline bool event_is_arrival(const struct event *event)
{
	return event->head->type == DEMUX_SEGMENT || event_is_datagram(event);
}

/* The socket that an arrival met, NULL where none was seen. */
static inline const struct demux_sock *event_met(const struct event *event)
{
	if (!(event->arrival->have & DEMUX_HAVE_SOCK))
		return NULL;
	return event_is_datagram(event) ? &event->datagram->sock :
					  &event->segment->sock;
}

/* The id of the BPF program that may have chosen before the tables did; 0: there is
 * none, or it is not known. */
static inline unsigned int event_sk_lookup(const struct event *event)
{
	if (event_is_datagram(event))
		return event->datagram->have & DEMUX_HAVE_CHOOSER ?
			       event->datagram->sk_lookup :
			       0;
	return event->segment->have & DEMUX_HAVE_SK_LOOKUP ?
		       event->segment->sk_lookup :
		       0;
}

/* Is it the first of several, of which any may have chosen? */
static inline bool event_has_sk_lookups(const struct event *event)
{
	return event_is_datagram(event) ?
		       event->datagram->notes & DEMUX_NOTE_CHOOSERS :
		       event->segment->notes & DEMUX_NOTE_SK_LOOKUPS;
}

/* How its socket was found, enum demux_via; 0 where that is not known. */
static inline unsigned int event_via(const struct event *event)
{
	if (!(event->arrival->have & DEMUX_HAVE_VIA))
		return 0;
	return event_is_datagram(event) ? event->datagram->via :
					  event->segment->via;
}

/* Who had assigned the socket, enum demux_assigned_by; 0 where that is not
 * known, as it never is of a datagram. */
static inline unsigned int event_assigned_by(const struct event *event)
{
	if (event_is_datagram(event) ||
	    !(event->arrival->have & DEMUX_HAVE_ASSIGNED_BY))
		return 0;
	return event->segment->assigned_by;
}

/*
 * Fills @event from @len bytes at @bytes, which must be aligned to 8. Returns
 * 0, -EBADMSG for bytes that are no such record (@problem says why), or
 * -ENOTSUP for a type this program does not know and may skip.
 */
int decode(struct event *event, const void *bytes, size_t len,
	   const char **problem);

#endif
