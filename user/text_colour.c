// SPDX-License-Identifier: GPL-2.0-only
/*
 * text_colour.c - the colours of what became of a segment or datagram. Last
 * stage.
 */
#include "text_colour.h"

#include "proof.h"

const char *text_colour(const struct event *event)
{
	static const char *const outcomes[] = {
		[DEMUX_ESTABLISHED] = "\033[32m",
		[DEMUX_LISTENER] = "\033[36m",
		[DEMUX_REQUEST] = "\033[33m",
		[DEMUX_TIME_WAIT] = "\033[35m",
		[DEMUX_NONE] = "\033[31m",
		[DEMUX_REFUSED] = "\033[31m",
		[DEMUX_MALFORMED] = "\033[31m",
	};

	static const char *const datagram_outcomes[] = {
		[DEMUX_CONNECTED] = "\033[32m",
		[DEMUX_UNCONNECTED] = "\033[36m",
		[DEMUX_MULTICAST] = "\033[35m",
		[DEMUX_NOBODY] = "\033[31m",
		[DEMUX_DENIED] = "\033[31m",
		[DEMUX_BAD_DATAGRAM] = "\033[31m",
	};

	if (!event_is_arrival(event))
		return "\033[1m";
	if (event->verdict == VERDICT_UNEXPLAINED ||
	    !(event->arrival->have & DEMUX_HAVE_OUTCOME))
		return "\033[1;31m";
	if (event_is_datagram(event))
		return datagram_outcomes[event->datagram->outcome];
	return outcomes[event->segment->outcome];
}
