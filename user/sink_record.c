// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink_record.c - the records as they came, behind a head: a recording. Last
 * stage.
 */
#include "sink.h"

static void begin(struct sink *sink, const struct recording_head *trace)
{
	out_bytes(&sink->out, trace, sizeof(*trace));
	out_end(&sink->out);
}

static void event(struct sink *sink, const struct event *event)
{
	/* A replayed recording that was cut has no end to pass on. */
	if (event->head->type == DEMUX_END && !event->end)
		return;
	out_bytes(&sink->out, event->head, event->head->len);
	out_end(&sink->out);
}

const struct sink_type sink_record = {
	.name = "record",
	.begin = begin,
	.event = event,
};
