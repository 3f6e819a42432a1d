// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields.c - every column of every event, once.
 */
#include "fields.h"

#include <string.h>

#include "clock.h"
#include "fields_datagram.h"
#include "fields_sock.h"
#include "fields_why.h"
#include "names.h"
#include "proof.h"
#include "recording.h"

#define GETTER(name) \
	static bool get_##name(const struct event *event, struct value *value)

/* --- what the events of several types have ----------------------------------- */

static bool is_datagram(const struct event *event)
{
	return event->head->type == DEMUX_DATAGRAM;
}

static bool is_arrival(const struct event *event)
{
	return event->head->type == DEMUX_SEGMENT || is_datagram(event);
}

/* The ends that the event is about: a segment's are those of its headers. */
static const struct demux_ends *ends(const struct event *event, uint32_t have)
{
	if (is_arrival(event))
		return (event->arrival->have & have) == have ?
			       &event->arrival->ends :
			       NULL;
	return &fields_sock_record(event)->ends;
}

GETTER(event)
{
	static const char *const types[] = {
		[DEMUX_SEGMENT] = "segment", [DEMUX_ACCEPT] = "accept",
		[DEMUX_LISTEN] = "listen",   [DEMUX_CLOSE] = "close",
		[DEMUX_SOCKET] = "socket",   [DEMUX_DATAGRAM] = "datagram",
		[DEMUX_BIND] = "bind",
	};

	return value_name(value, types[event->head->type]);
}

GETTER(time)
{
	clock_rfc3339(value->buffer, event->head->mono_ns,
		      event->trace->clock_offset_ns);
	return value_name(value, value->buffer);
}

GETTER(mono_ns)
{
	return value_number(value, event->head->mono_ns);
}

GETTER(cpu)
{
	return !event->listed && value_number(value, event->head->cpu);
}

GETTER(netns)
{
	if (!is_arrival(event))
		return value_number(value, fields_sock_record(event)->netns);
	return event->arrival->have & DEMUX_HAVE_NETNS &&
	       value_number(value, event->arrival->netns);
}

GETTER(proto)
{
	const struct demux_sock *sock = fields_sock_record(event);
	bool is_udp = is_datagram(event) ||
		      (sock && sock->flags & DEMUX_SOCK_UDP);

	return value_name(value, is_udp ? "udp" : "tcp");
}

GETTER(family)
{
	return value_number(value, ends(event, 0)->family);
}

#define ENDS_ADDR(name)                                                      \
	GETTER(name)                                                         \
	{                                                                    \
		const struct demux_ends *of = ends(event, DEMUX_HAVE_ADDRS); \
                                                                             \
		return of && value_addr(value, of->name, of->family);        \
	}

#define ENDS_PORT(name)                                                      \
	GETTER(name)                                                         \
	{                                                                    \
		const struct demux_ends *of = ends(event, DEMUX_HAVE_PORTS); \
                                                                             \
		return of && value_number(value, of->name);                  \
	}

ENDS_ADDR(laddr)
ENDS_PORT(lport)
ENDS_ADDR(raddr)
ENDS_PORT(rport)

/* --- a segment's own ----------------------------------------------------------- */

GETTER(flags)
{
	if (!(event->segment->have & DEMUX_HAVE_TCP))
		return false;
	names_flags(value->buffer, event->segment->flags);
	return value_name(value, value->buffer);
}

#define SEGMENT_NUMBER(name, bit, member)                           \
	GETTER(name)                                                \
	{                                                           \
		return (event->segment->have & (bit)) == (bit) &&   \
		       value_number(value, event->segment->member); \
	}

SEGMENT_NUMBER(seq, DEMUX_HAVE_TCP, seq)
SEGMENT_NUMBER(ack, DEMUX_HAVE_TCP, ack)
SEGMENT_NUMBER(window, DEMUX_HAVE_TCP, window)
SEGMENT_NUMBER(accept_queue, DEMUX_HAVE_QUEUES, accept_queue)
SEGMENT_NUMBER(accept_limit, DEMUX_HAVE_QUEUES, accept_limit)
SEGMENT_NUMBER(syn_queue, DEMUX_HAVE_QUEUES, syn_queue)
SEGMENT_NUMBER(sk_lookup, DEMUX_HAVE_SK_LOOKUP, sk_lookup)

GETTER(seq_rel)
{
	return event->numbers.has_seq &&
	       value_number(value, event->numbers.seq);
}

GETTER(ack_rel)
{
	return event->numbers.has_ack &&
	       value_number(value, event->numbers.ack);
}

/* What both have, in places of their own. */
#define ARRIVAL(event, member)                            \
	(is_datagram(event) ? (event)->datagram->member : \
			      (event)->segment->member)

/* The bit is the same one. */
GETTER(len)
{
	return event->arrival->have & DEMUX_HAVE_TCP &&
	       value_number(value, ARRIVAL(event, payload));
}

GETTER(segs)
{
	return value_number(value, ARRIVAL(event, segs));
}

GETTER(sdif)
{
	return event->arrival->have & DEMUX_HAVE_SDIF && ARRIVAL(event, sdif) &&
	       value_number(value, ARRIVAL(event, sdif));
}

#define SEGMENT_NOTE(name, bit)                                          \
	GETTER(name)                                                     \
	{                                                                \
		return value_bool(value, event->segment->notes & (bit)); \
	}

SEGMENT_NOTE(reset, DEMUX_NOTE_RESET)
SEGMENT_NOTE(repeated, DEMUX_NOTE_REPEATED)

GETTER(bad_checksum)
{
	return value_bool(value,
			  is_datagram(event) ?
				  event->datagram->notes &
					  DEMUX_NOTE_BAD_CHECKSUM :
				  event->segment->notes & DEMUX_NOTE_CHECKSUM);
}

GETTER(predicted)
{
	names_predicted(value->buffer, ARRIVAL(event, predicted));
	return *value->buffer && value_name(value, value->buffer);
}

GETTER(ifindex)
{
	return ARRIVAL(event, ifindex) &&
	       value_number(value, ARRIVAL(event, ifindex));
}

GETTER(outcome)
{
	if (!(event->arrival->have & DEMUX_HAVE_OUTCOME))
		return false;
	return value_name(value,
			  is_datagram(event) ?
				  names_datagram(event->datagram->outcome) :
				  names_outcome(event->segment->outcome));
}

GETTER(via)
{
	return event->arrival->have & DEMUX_HAVE_VIA &&
	       value_name(value, names_via(ARRIVAL(event, via)));
}

GETTER(detail)
{
	return event->detail && value_name(value, names_detail(event->detail));
}

GETTER(drop_reason)
{
	return event->drop_reason && value_name(value, event->drop_reason);
}

GETTER(assigned_by)
{
	const char *name = names_assigned_by(event->segment->assigned_by);

	return event->segment->have & DEMUX_HAVE_ASSIGNED_BY && name &&
	       value_name(value, name);
}

/* --- the verdict ----------------------------------------------------------------- */

GETTER(verdict)
{
	return value_name(value, proof_verdict_name(event->verdict));
}

GETTER(why)
{
	return value_name(value, event->why);
}

#define SEGMENT  (1 << DEMUX_SEGMENT)
#define ACCEPT   (1 << DEMUX_ACCEPT)
#define LISTEN   (1 << DEMUX_LISTEN)
#define CLOSE    (1 << DEMUX_CLOSE)
#define SOCKET   (1 << DEMUX_SOCKET)
#define DATAGRAM (1 << DEMUX_DATAGRAM)
#define BIND     (1 << DEMUX_BIND)
#define ARRIVALS (SEGMENT | DATAGRAM)
#define SOCKETS  (ACCEPT | LISTEN | CLOSE | SOCKET | BIND)
#define ALL      (ARRIVALS | SOCKETS)

const struct field fields[] = {
	{ "event", ALL, get_event },
	{ "time", ALL, get_time },
	{ "mono_ns", ALL, get_mono_ns },
	{ "cpu", ALL, get_cpu },
	{ "netns", ALL, get_netns },
	{ "proto", ALL, get_proto },
	{ "family", ALL, get_family },
	{ "laddr", ALL, get_laddr },
	{ "lport", ALL, get_lport },
	{ "raddr", ALL, get_raddr },
	{ "rport", ALL, get_rport },
	{ "flags", SEGMENT, get_flags },
	{ "seq", SEGMENT, get_seq },
	{ "ack", SEGMENT, get_ack },
	{ "seq_rel", SEGMENT, get_seq_rel },
	{ "ack_rel", SEGMENT, get_ack_rel },
	{ "window", SEGMENT, get_window },
	{ "options", SEGMENT, fields_why_options },
	{ "len", ARRIVALS, get_len },
	{ "segs", ARRIVALS, get_segs },
	{ "ifindex", ARRIVALS, get_ifindex },
	{ "sdif", ARRIVALS, get_sdif },
	{ "outcome", ARRIVALS, get_outcome },
	{ "detail", SEGMENT, get_detail },
	{ "via", ARRIVALS, get_via },
	{ "assigned_by", SEGMENT, get_assigned_by },
	{ "sk_lookup", SEGMENT, get_sk_lookup },
	{ "drop_reason", SEGMENT, get_drop_reason },
	{ "accept_queue", SEGMENT, get_accept_queue },
	{ "accept_queue_limit", SEGMENT, get_accept_limit },
	{ "syn_queue", SEGMENT, get_syn_queue },
	{ "hash_slots", SEGMENT, fields_why_hash_slots },
	{ "hash_slot", SEGMENT, fields_why_hash_slot },
	{ "chain_position", SEGMENT, fields_why_chain_position },
	{ "chain_length", SEGMENT, fields_why_chain_length },
	{ "candidates", SEGMENT, fields_why_candidates },
	{ "candidate_list", SEGMENT, fields_why_candidate_list },
	{ "won_by", SEGMENT, fields_why_won_by },
	{ "sock", ALL, fields_sock_number },
	{ "sock_state", ARRIVALS | SOCKET, fields_sock_state },
	{ "sock_laddr", ARRIVALS, fields_sock_laddr },
	{ "sock_lport", ARRIVALS, fields_sock_lport },
	{ "sock_raddr", ARRIVALS, fields_sock_raddr },
	{ "sock_rport", ARRIVALS, fields_sock_rport },
	{ "mapped", ARRIVALS | ACCEPT | SOCKET, fields_sock_mapped },
	{ "child", SEGMENT, fields_sock_child },
	{ "parent", SEGMENT | ACCEPT | CLOSE | SOCKET, fields_sock_parent },
	{ "pid", ALL, fields_sock_pid },
	{ "tid", ACCEPT | LISTEN | BIND, fields_sock_tid },
	{ "uid", ACCEPT | LISTEN | SOCKET | BIND, fields_sock_uid },
	{ "user", SOCKET, fields_sock_user },
	{ "comm", ALL, fields_sock_comm },
	{ "fd", ARRIVALS | ACCEPT | CLOSE | SOCKET, fields_sock_fd },
	{ "inode", ACCEPT | SOCKET, fields_sock_inode },
	{ "cookie", ACCEPT | SOCKET, fields_sock_cookie },
	{ "owners", ALL, fields_sock_owners },
	{ "backlog", LISTEN, fields_sock_backlog },
	{ "segments", CLOSE | SOCKET, fields_sock_segments },
	{ "datagrams", CLOSE | SOCKET, fields_sock_datagrams },
	{ "bytes", SOCKET, fields_sock_bytes },
	{ "copy", DATAGRAM, fields_datagram_copy },
	{ "score", DATAGRAM, fields_datagram_score },
	{ "score_parts", DATAGRAM, fields_datagram_score_parts },
	{ "group_size", ARRIVALS, fields_why_group_size },
	{ "group_hash", SEGMENT, fields_why_group_hash },
	{ "group_index", ARRIVALS, fields_why_group_index },
	{ "group_by", ARRIVALS, fields_why_group_by },
	{ "icmp", DATAGRAM, fields_datagram_icmp },
	{ "encap", DATAGRAM, fields_datagram_encap },
	{ "dropped", DATAGRAM, fields_datagram_dropped },
	{ "reset", SEGMENT, get_reset },
	{ "bad_checksum", ARRIVALS, get_bad_checksum },
	{ "repeated_lookup", SEGMENT, get_repeated },
	{ "predicted", ARRIVALS, get_predicted },
	{ "verdict", ARRIVALS, get_verdict },
	{ "why", ARRIVALS, get_why },
	{ NULL, 0, NULL },
};

const struct field *const *fields_of(unsigned int type)
{
	static const struct field *of[FIELDS_TYPES][FIELDS_MAX];
	const struct field **to = of[type];

	if (*to)
		return to;
	for (const struct field *field = type == DEMUX_END ? summary_fields :
							     fields;
	     field->key; field++)
		if (field->events & 1u << type)
			*to++ = field;
	return of[type];
}

const struct field *fields_find(const char *key)
{
	for (const struct field *field = fields; field->key; field++)
		if (!strcmp(field->key, key))
			return field;
	return NULL;
}
