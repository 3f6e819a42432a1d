// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields_datagram.c - the columns of datagrams alone.
 */
#include "fields_datagram.h"

#include "classify_datagram.h"
#include "model.h"
#include "names.h"

#define GETTER(name)                                           \
	bool fields_datagram_##name(const struct event *event, \
				    struct value *value)

#define NUMBER(name, bit)                                          \
	GETTER(name)                                               \
	{                                                          \
		return event->datagram->have & (bit) &&            \
		       value_number(value, event->datagram->name); \
	}

#define NOTE(name, bit)                                                   \
	GETTER(name)                                                      \
	{                                                                 \
		return value_bool(value, event->datagram->notes & (bit)); \
	}

/* Which of the sockets that got this datagram; 0 is told by absence, unless it
 * may have been sent to many. */
GETTER(copy)
{
	const struct demux_datagram *datagram = event->datagram;

	return (datagram->copy || (datagram->notes & DEMUX_NOTE_GROUP &&
				   datagram->have & DEMUX_HAVE_SOCK)) &&
	       value_number(value, datagram->copy);
}

/* One that is connected to another remote end has no points. */
static bool is_scored(const struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;

	return datagram->have & DEMUX_HAVE_SCORE &&
	       is_its_peer(&datagram->ends, &datagram->sock);
}

GETTER(score)
{
	return is_scored(event) && value_number(value, event->datagram->score);
}

NUMBER(group_size, DEMUX_HAVE_GROUP)

GETTER(segs_lost)
{
	return event->datagram->segs_lost &&
	       value_number(value, event->datagram->segs_lost);
}

/* As of a listener, not told beyond the first ones. */
static bool is_chosen(const struct event *event)
{
	return event->datagram->have & DEMUX_HAVE_INDEX &&
	       is_by_group(event->datagram);
}

GETTER(group_index)
{
	return is_chosen(event) &&
	       value_number(value, event->datagram->group_index);
}

GETTER(score_parts)
{
	if (!is_scored(event))
		return false;
	names_score(value->buffer, event->datagram->score_parts);
	return *value->buffer && value_name(value, value->buffer);
}

GETTER(group_by)
{
	return is_chosen(event) &&
	       value_name(value, names_group_by(event->datagram->group_by));
}

NOTE(icmp, DEMUX_NOTE_ICMP)
NOTE(encap, DEMUX_NOTE_ENCAP)
NOTE(dropped, DEMUX_NOTE_DROPPED)
