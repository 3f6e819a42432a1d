// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink_text.c - one aligned line per event, for people. Last stage.
 *
 * Columns and details name the fields they show; how the summary is put into
 * words is in text_summary.c.
 */
#include "text_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fields.h"
#include "names.h"
#include "proof.h"
#include "sink.h"

#define CELL_MAX 160

/* One column: a field, or an address and a port joined. */
static struct column {
	const char *title;
	const char *key;
	const char *other; /* where the event has not the first, or its port */
	char join; /* between the two; 0: the other is the fallback */
	bool right;
	size_t width; /* grows with what is shown */
} columns[] = {
	{ "EVENT", "outcome", "event", 0, false, 11 },
	{ "SOCK", "sock", NULL, 0, false, 4 },
	{ "REMOTE", "raddr", "rport", ':', false, 19 },
	{ "LOCAL", "laddr", "lport", ':', false, 19 },
	{ "FLAGS", "flags", NULL, 0, false, 7 },
	{ "LEN", "len", NULL, 0, true, 5 },
};

/* What follows the columns, in words, where it is known. */
static const struct detail {
	const char *key;
	const char *before;
	const char *after;
	uint32_t events;
} details[] = {
	{ "via", " ", "", 1 << DEMUX_SEGMENT },
	{ "segs", " segs ", "", 1 << DEMUX_SEGMENT },
	{ "mapped", " v4-mapped", "", 1 << DEMUX_SEGMENT | 1 << DEMUX_ACCEPT },
	{ "comm", " ", "", 1 << DEMUX_ACCEPT | 1 << DEMUX_LISTEN },
	{ "pid", "[", "]", 1 << DEMUX_ACCEPT | 1 << DEMUX_LISTEN },
	{ "fd", " fd ", "", 1 << DEMUX_ACCEPT },
	{ "parent", " from #", "",
	  1 << DEMUX_SEGMENT | 1 << DEMUX_ACCEPT | 1 << DEMUX_CLOSE },
	{ "child", " child #", "", 1 << DEMUX_SEGMENT },
	{ "backlog", " backlog ", "", 1 << DEMUX_LISTEN },
	{ "segments", " after ", " segments", 1 << DEMUX_CLOSE },
	{ "reset", " reset", "", 1 << DEMUX_SEGMENT },
	{ "bad_checksum", " bad checksum", "", 1 << DEMUX_SEGMENT },
	{ "repeated_lookup", " looked up again", "", 1 << DEMUX_SEGMENT },
};

/* --- one value --------------------------------------------------------------- */

/* Appends the field's text to @to; false where it is unknown. */
static bool show(char *to, size_t size, const char *key,
		 const struct event *event)
{
	const struct field *field = fields_find(key);
	size_t used = strlen(to);
	struct value value;

	if (!(field->events & 1u << event->head->type) ||
	    !field->get(event, &value))
		return false;
	switch (value.kind) {
	case VALUE_NUMBER:
		snprintf(to + used, size - used, "%llu",
			 (unsigned long long)value.number);
		break;
	case VALUE_SIGNED:
		snprintf(to + used, size - used, "%lld",
			 (long long)value.number);
		break;
	case VALUE_BOOL: /* the detail's own words say it */
		break;
	case VALUE_NAME:
		snprintf(to + used, size - used, "%s", value.text);
		break;
	case VALUE_BYTES:
		names_escape(to + used, size - used, value.text,
			     strlen(value.text));
		break;
	}
	return true;
}

static void show_ends(char *cell, const struct column *column,
		      const struct event *event)
{
	char addr[CELL_MAX] = "", port[CELL_MAX] = "";

	if (!show(addr, sizeof(addr), column->key, event))
		strcpy(addr, "?");
	if (!show(port, sizeof(port), column->other, event))
		strcpy(port, "?");
	if (event->head->type == DEMUX_LISTEN && column->key[0] == 'r')
		strcpy(cell, "*:*");
	else
		snprintf(cell, CELL_MAX, strchr(addr, ':') ? "[%.80s]:%.8s" :
							     "%.80s:%.8s",
			 addr, port);
}

static void show_cell(char cell[CELL_MAX], const struct column *column,
		      const struct event *event)
{
	cell[0] = '\0';
	if (column->join) {
		show_ends(cell, column, event);
	} else if (!strcmp(column->key, "sock")) {
		strcpy(cell, "#");
		if (!show(cell, CELL_MAX, column->key, event))
			strcpy(cell, "-");
	} else if (!show(cell, CELL_MAX, column->key, event)) {
		/* An unknown outcome is not the name of an event. */
		if (!column->other || event->head->type == DEMUX_SEGMENT ||
		    !show(cell, CELL_MAX, column->other, event))
			strcpy(cell, event->head->type == DEMUX_SEGMENT ? "?" :
									  "");
	}
}

/* --- a line -------------------------------------------------------------------- */

static const char *colour(const struct event *event)
{
	static const char *const outcomes[] = {
		[DEMUX_ESTABLISHED] = "\033[32m", [DEMUX_LISTENER] = "\033[36m",
		[DEMUX_REQUEST] = "\033[33m",	  [DEMUX_TIME_WAIT] = "\033[35m",
		[DEMUX_NONE] = "\033[31m",	  [DEMUX_REFUSED] = "\033[31m",
		[DEMUX_MALFORMED] = "\033[31m",
	};

	if (event->head->type != DEMUX_SEGMENT)
		return "\033[1m";
	if (event->verdict == VERDICT_UNEXPLAINED ||
	    !(event->segment->have & DEMUX_HAVE_OUTCOME))
		return "\033[1;31m";
	return outcomes[event->segment->outcome];
}

static void put_columns(struct out *out, const struct event *event, bool tinted)
{
	const size_t count = sizeof(columns) / sizeof(columns[0]);
	size_t owed = 0;

	for (size_t i = 0; i < count; i++) {
		struct column *column = &columns[i];
		char cell[CELL_MAX];
		size_t len;

		show_cell(cell, column, event);
		len = strlen(cell);
		if (len > column->width)
			column->width = len;
		owed += 1 + (column->right ? column->width - len : 0);
		if (len) {
			out_spaces(out, owed);
			owed = 0;
			if (tinted && !i)
				out_text(out, colour(event));
			out_bytes(out, cell, len);
			if (tinted && !i)
				out_text(out, "\033[0m");
		}
		owed += column->right ? 0 : column->width - len;
	}
	out_spaces(out, owed); /* a detail follows every event's columns */
}

static void put_details(struct out *out, const struct event *event)
{
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		const struct detail *detail = &details[i];
		char text[CELL_MAX] = "";

		if (!(detail->events & 1u << event->head->type) ||
		    !show(text, sizeof(text), detail->key, event))
			continue;
		if (!strcmp(detail->key, "segs") && !strcmp(text, "1"))
			continue; /* the common case goes without saying */
		out_text(out, detail->before);
		out_text(out, text);
		out_text(out, detail->after);
	}
}

/* A verdict other than proved: what it is, whose ends the socket has, why. */
static void put_verdict(struct out *out, const struct event *event)
{
	char text[CELL_MAX] = "";

	if (event->head->type != DEMUX_SEGMENT ||
	    event->verdict == VERDICT_PROVED)
		return;
	show(text, sizeof(text), "verdict", event);
	out_text(out, " ");
	out_text(out, text);
	text[0] = '\0';
	if (show(text, sizeof(text), "sock_laddr", event)) {
		strcat(text, " ");
		show(text, sizeof(text), "sock_lport", event);
		strcat(text, " ");
		show(text, sizeof(text), "sock_raddr", event);
		strcat(text, " ");
		show(text, sizeof(text), "sock_rport", event);
		out_text(out, " (socket: ");
		out_text(out, text);
		out_text(out, ")");
	}
	out_text(out, ": ");
	out_text(out, event->why);
}

static bool wants_colour(const struct out *out)
{
	const char *no = getenv("NO_COLOR");

	return out->tty && !(no && *no);
}

static void put_titles(struct out *out)
{
	out_text(out, "TIME           ");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		size_t pad = columns[i].width - strlen(columns[i].title);

		out_spaces(out, 1 + (columns[i].right ? pad : 0));
		out_text(out, columns[i].title);
		out_spaces(out, columns[i].right ? 0 : pad);
	}
	out_text(out, " HOW\n");
	out_end(out);
}

static void event(struct sink *sink, const struct event *event)
{
	char time[CLOCK_TEXT_MAX];
	struct out *out = &sink->out;

	if (event->head->type == DEMUX_END) {
		text_summary(out, event->summary);
		return;
	}
	if (sink->quiet || event->repeated)
		return;
	if (!sink->rows++)
		put_titles(out);
	clock_short(time, event->head->mono_ns, event->trace->clock_offset_ns);
	out_text(out, time);
	put_columns(out, event, wants_colour(out));
	put_details(out, event);
	put_verdict(out, event);
	out_text(out, "\n");
	out_end(out);
}

const struct sink_type sink_text = {
	.name = "text",
	.about = "one line per event",
	.event = event,
};
