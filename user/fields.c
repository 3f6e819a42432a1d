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
#include "filter.h"
#include "names.h"
#include "proof.h"
#include "recording.h"

#define GETTER(name) \
	static bool get_##name(const struct event *event, struct value *value)

/* --- what the events of several types have ----------------------------------- */

/* The ends that the event is about: a segment's are those of its headers. */
static const struct demux_ends *ends(const struct event *event, uint32_t have)
{
	if (event_is_arrival(event))
		return (event->arrival->have & have) == have ?
			       &event->arrival->ends :
			       NULL;
	return &fields_sock_record(event)->ends;
}

/* bind(), the first send and connect() are told alike: only the last gives a
 * remote end. */
static bool is_connect(const struct event *event)
{
	return event->head->type == DEMUX_BIND &&
	       is_connected(&event->accept->sock);
}

GETTER(event)
{
	static const char *const types[] = {
		[DEMUX_SEGMENT] = "segment", [DEMUX_ACCEPT] = "accept",
		[DEMUX_LISTEN] = "listen",   [DEMUX_CLOSE] = "close",
		[DEMUX_SOCKET] = "socket",   [DEMUX_DATAGRAM] = "datagram",
		[DEMUX_BIND] = "bind",       [DEMUX_DEVICE] = "device",
	};

	return value_name(value, is_connect(event) ? "connect" :
						     types[event->head->type]);
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
	if (!event_is_arrival(event))
		return value_number(value, fields_sock_record(event)->netns);
	return event->arrival->have & DEMUX_HAVE_NETNS &&
	       value_number(value, event->arrival->netns);
}

GETTER(proto)
{
	const struct demux_sock *sock = fields_sock_record(event);
	bool is_udp = event_is_datagram(event) ||
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
#define ARRIVAL(event, member)                                  \
	(event_is_datagram(event) ? (event)->datagram->member : \
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

GETTER(sk_lookup)
{
	return event_sk_lookup(event) &&
	       value_number(value, event_sk_lookup(event));
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
			  event_is_datagram(event) ?
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
			  event_is_datagram(event) ?
				  names_datagram(event->datagram->outcome) :
				  names_outcome(event->segment->outcome));
}

GETTER(via)
{
	return value_name(value, names_via(event_via(event)));
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
	return value_name(value, names_assigned_by(event_assigned_by(event)));
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

const struct field fields[] = {
	{ "event", OF_ALL, get_event },
	{ "time", OF_ALL, get_time },
	{ "mono_ns", OF_ALL, get_mono_ns },
	{ "cpu", OF_ALL, get_cpu },
	{ "netns", OF_ALL, get_netns },
	{ "proto", OF_ALL, get_proto },
	{ "family", OF_ALL, get_family },
	{ "laddr", OF_ALL, get_laddr },
	{ "lport", OF_ALL, get_lport },
	{ "raddr", OF_ALL, get_raddr },
	{ "rport", OF_ALL, get_rport },
	{ "flags", OF_SEGMENT, get_flags },
	{ "seq", OF_SEGMENT, get_seq },
	{ "ack", OF_SEGMENT, get_ack },
	{ "seq_rel", OF_SEGMENT, get_seq_rel },
	{ "ack_rel", OF_SEGMENT, get_ack_rel },
	{ "window", OF_SEGMENT, get_window },
	{ "options", OF_SEGMENT, fields_why_options },
	{ "len", OF_ARRIVALS, get_len },
	{ "segs", OF_ARRIVALS, get_segs },
	{ "ifindex", OF_ARRIVALS, get_ifindex },
	{ "sdif", OF_ARRIVALS, get_sdif },
	{ "outcome", OF_ARRIVALS, get_outcome },
	{ "detail", OF_SEGMENT, get_detail },
	{ "via", OF_ARRIVALS, get_via },
	{ "assigned_by", OF_SEGMENT, get_assigned_by },
	{ "sk_lookup", OF_ARRIVALS, get_sk_lookup },
	{ "drop_reason", OF_ARRIVALS, get_drop_reason },
	{ "accept_queue", OF_SEGMENT, get_accept_queue },
	{ "accept_queue_limit", OF_SEGMENT, get_accept_limit },
	{ "syn_queue", OF_SEGMENT, get_syn_queue },
	{ "hash_slots", OF_SEGMENT, fields_why_hash_slots },
	{ "hash_slot", OF_SEGMENT, fields_why_hash_slot },
	{ "chain_position", OF_SEGMENT, fields_why_chain_position },
	{ "chain_length", OF_SEGMENT, fields_why_chain_length },
	{ "candidates", OF_SEGMENT, fields_why_candidates },
	{ "candidate_list", OF_SEGMENT, fields_why_candidate_list },
	{ "won_by", OF_SEGMENT, fields_why_won_by },
	{ "sock", OF_ALL, fields_sock_number },
	{ "sock_state", OF_ARRIVALS | OF_SOCKET, fields_sock_state },
	{ "sock_substate", OF_SEGMENT, fields_sock_substate },
	{ "sock_laddr", OF_ARRIVALS, fields_sock_laddr },
	{ "sock_lport", OF_ARRIVALS, fields_sock_lport },
	{ "sock_raddr", OF_ARRIVALS, fields_sock_raddr },
	{ "sock_rport", OF_ARRIVALS, fields_sock_rport },
	{ "sock_ifindex", OF_ALL, fields_sock_ifindex },
	{ "mapped", OF_ARRIVALS | OF_ACCEPT | OF_SOCKET, fields_sock_mapped },
	{ "child", OF_SEGMENT, fields_sock_child },
	{ "parent", OF_SEGMENT | OF_ACCEPT | OF_CLOSE | OF_SOCKET,
	  fields_sock_parent },
	{ "pid", OF_ALL, fields_sock_pid },
	{ "tid", OF_ACCEPT | OF_LISTEN | OF_BIND, fields_sock_tid },
	{ "uid", OF_ACCEPT | OF_LISTEN | OF_SOCKET | OF_BIND, fields_sock_uid },
	{ "user", OF_SOCKET, fields_sock_user },
	{ "comm", OF_ALL, fields_sock_comm },
	{ "fd", OF_ARRIVALS | OF_ACCEPT | OF_CLOSE | OF_SOCKET,
	  fields_sock_fd },
	{ "inode", OF_ACCEPT | OF_SOCKET, fields_sock_inode },
	{ "cookie", OF_ACCEPT | OF_SOCKET, fields_sock_cookie },
	{ "owners", OF_ALL, fields_sock_owners },
	{ "backlog", OF_LISTEN, fields_sock_backlog },
	{ "segments", OF_CLOSE | OF_SOCKET, fields_sock_segments },
	{ "datagrams", OF_CLOSE | OF_SOCKET, fields_sock_datagrams },
	{ "bytes", OF_SOCKET, fields_sock_bytes },
	{ "copy", OF_DATAGRAM, fields_datagram_copy },
	{ "score", OF_DATAGRAM, fields_datagram_score },
	{ "score_parts", OF_DATAGRAM, fields_datagram_score_parts },
	{ "group_size", OF_ARRIVALS, fields_why_group_size },
	{ "group_hash", OF_SEGMENT, fields_why_group_hash },
	{ "group_index", OF_ARRIVALS, fields_why_group_index },
	{ "group_by", OF_ARRIVALS, fields_why_group_by },
	{ "icmp", OF_DATAGRAM, fields_datagram_icmp },
	{ "encap", OF_DATAGRAM, fields_datagram_encap },
	{ "dropped", OF_DATAGRAM, fields_datagram_dropped },
	{ "segs_lost", OF_DATAGRAM, fields_datagram_segs_lost },
	{ "reset", OF_SEGMENT, get_reset },
	{ "bad_checksum", OF_ARRIVALS, get_bad_checksum },
	{ "repeated_lookup", OF_SEGMENT, get_repeated },
	{ "predicted", OF_ARRIVALS, get_predicted },
	{ "verdict", OF_ARRIVALS, get_verdict },
	{ "why", OF_ARRIVALS, get_why },
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
