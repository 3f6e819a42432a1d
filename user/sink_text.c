// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink_text.c - one aligned line per event, for people. Last stage.
 *
 * Columns and details name the fields they show; how the summary is put into
 * words is in text_summary.c.
 */
#include "text_colour.h"
#include "text_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fields.h"
#include "model.h"
#include "names.h"
#include "proof.h"
#include "sink.h"
#include "tcp_states.h"
#include "text_detail.h"
#include "text_value.h"

/* So many of the sockets that were there before; a host may have thousands. */
#define SOCKETS_SHOWN 50

/* One column: a field, or an address and a port joined. */
static struct column {
	const char *title;
	const char *key;
	const char *other; /* the port; or what to show for other events */
	char join; /* between address and port */
	bool right;
	size_t width; /* grows with what is shown */
	uint8_t predicted; /* the bit that says it was not seen: "~" */
	const struct field *field, *other_field;
} columns[] = {
	{ "EVENT", "outcome", "event", 0, false, 11, DEMUX_PREDICTED_OUTCOME,
	  NULL, NULL },
	{ "SOCK", "sock", NULL, 0, false, 4, DEMUX_PREDICTED_SOCK, NULL, NULL },
	{ "REMOTE", "raddr", "rport", ':', false, 19, 0, NULL, NULL },
	{ "LOCAL", "laddr", "lport", ':', false, 19, 0, NULL, NULL },
	{ "FLAGS", "flags", NULL, 0, false, 7, 0, NULL, NULL },
	{ "LEN", "len", NULL, 0, true, 5, 0, NULL, NULL },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
/* FLAGS and LEN, the last, are of segments only. */
#define SOCKET_COLUMNS (COLUMNS - 2)

/* --- what goes without saying ------------------------------------------------ */

/* What most segments come to, and what other words of the line say. */
static bool is_usual(const struct event *event)
{
	enum demux_detail detail = event->detail;

	return detail == DEMUX_TAKEN_UP || detail == DEMUX_REQUEST_MADE ||
	       detail == DEMUX_CHILD || detail == DEMUX_RESET ||
	       detail == DEMUX_SWALLOWED || detail == DEMUX_BAD_CHECKSUM;
}

static bool is_usual_reason(const struct event *event)
{
	return event->drop_reason &&
	       (!strcmp(event->drop_reason, "NOT_SPECIFIED") ||
		!strcmp(event->drop_reason, "NO_SOCKET"));
}

static bool is_one_segment(const struct event *event)
{
	return (event_is_datagram(event) ? event->datagram->segs :
					   event->segment->segs) == 1;
}

/* How full a listener is that drops no SYN. */
static bool is_no_matter(const struct event *event)
{
	return event->detail != DEMUX_SYN_DROPPED;
}

/* The size of a group goes with the place in it. */
static bool has_no_place(const struct event *event)
{
	return !(event->datagram->have & DEMUX_HAVE_INDEX);
}

/* Whose child it is, of a segment's socket: the accept line says it. */
static bool is_socks_parent(const struct event *event)
{
	return event->head->type == DEMUX_SEGMENT &&
	       (!event->with_parent || event->with_child);
}

/* What follows the columns, in words, where it is known. */
static struct detail {
	const char *key;
	const char *before;
	const char *after;
	uint32_t events;
	bool (*is_plain)(const struct event *event); /* not to be said then */
	const struct field *field;
} details[] = {
	{ "via", " ", "", OF_ARRIVALS, NULL, NULL },
	{ "detail", " ", "", OF_SEGMENT, is_usual, NULL },
	{ "accept_queue", " accept queue ", "", OF_SEGMENT, is_no_matter,
	  NULL },
	{ "accept_queue_limit", "/", "", OF_SEGMENT, is_no_matter, NULL },
	{ "drop_reason", " ", "", OF_ARRIVALS, is_usual_reason, NULL },
	{ "segs", " segs ", "", OF_ARRIVALS, is_one_segment, NULL },
	{ "segs_lost", " lost ", "", OF_DATAGRAM, NULL, NULL },
	{ "copy", " copy ", "", OF_DATAGRAM, NULL, NULL },
	{ "score", " score ", "", OF_DATAGRAM, NULL, NULL },
	{ "group_index", " group ", "", OF_DATAGRAM, NULL, NULL },
	{ "group_size", "/", "", OF_DATAGRAM, has_no_place, NULL },
	{ "encap", " encap", "", OF_DATAGRAM, NULL, NULL },
	{ "icmp", " icmp", "", OF_DATAGRAM, NULL, NULL },
	{ "dropped", " dropped", "", OF_DATAGRAM, NULL, NULL },
	{ "sock_state", " ", "", OF_SOCKET, NULL, NULL },
	{ "sock_ifindex", " bound to ", "", OF_DEVICE, NULL, NULL },
	{ "mapped", " v4-mapped", "", OF_ARRIVALS | OF_ACCEPT | OF_SOCKET, NULL,
	  NULL },
	{ "comm", " ", "", OF_ACCEPT | OF_LISTEN | OF_SOCKET | OF_BIND, NULL,
	  NULL },
	{ "pid", "[", "]", OF_ACCEPT | OF_LISTEN | OF_SOCKET | OF_BIND, NULL,
	  NULL },
	{ "fd", " fd ", "", OF_ACCEPT | OF_SOCKET, NULL, NULL },
	{ "parent", " of #", "", OF_SEGMENT | OF_ACCEPT | OF_SOCKET,
	  is_socks_parent, NULL },
	{ "owners", " owners ", "", OF_SOCKET, NULL, NULL },
	{ "child", " child #", "", OF_SEGMENT, NULL, NULL },
	{ "backlog", " backlog ", "", OF_LISTEN, NULL, NULL },
	{ "segments", " segments ", "", OF_CLOSE, NULL, NULL },
	{ "datagrams", " datagrams ", "", OF_CLOSE, NULL, NULL },
	{ "reset", " reset", "", OF_SEGMENT, NULL, NULL },
	{ "bad_checksum", " bad checksum", "", OF_ARRIVALS, NULL, NULL },
	{ "repeated_lookup", " looked up again", "", OF_SEGMENT, NULL, NULL },
};

#define DETAILS (sizeof(details) / sizeof(details[0]))

static unsigned int predicted(const struct event *event)
{
	if (event_is_datagram(event))
		return event->datagram->predicted;
	return event->head->type == DEMUX_SEGMENT ? event->segment->predicted :
						    0;
}

static void begin(struct sink *sink, const struct recording_head *trace)
{
	(void)sink;
	(void)trace;
	for (size_t i = 0; i < COLUMNS; i++) {
		columns[i].field = fields_find(columns[i].key);
		if (columns[i].other)
			columns[i].other_field = fields_find(columns[i].other);
	}
	for (size_t i = 0; i < DETAILS; i++)
		details[i].field = fields_find(details[i].key);
}

/* --- one value --------------------------------------------------------------- */

/* A datagram has none, and says so. */
static bool is_udp_flags(const struct column *column, const struct event *event)
{
	return column->key[0] == 'f' && event_is_datagram(event);
}

/* Returns the end of what it put there. */
static char *show_cell(char cell[TEXT_CELL_MAX], const struct column *column,
		       const struct event *event)
{
	char *end;

	if (column->join)
		return text_ends(cell, column->field, column->other_field,
				 event);
	if (predicted(event) & column->predicted)
		*cell++ = '~';
	if (column->key[0] == 's') { /* sock */
		end = text_value(cell + 1, column->field, event);
		cell[0] = end ? '#' : '-';
		return end ? end : cell + 1;
	}
	if (event_is_arrival(event))
		return text_value_or(cell, column->field, event,
				     is_udp_flags(column, event) ? "UDP" : "?");
	return column->other ?
		       text_value_or(cell, column->other_field, event, "?") :
		       cell;
}

/* --- a line -------------------------------------------------------------------- */

static void put_columns(struct out *out, const struct event *event, bool tinted)
{
	size_t count = event_is_arrival(event) ? COLUMNS : SOCKET_COLUMNS;
	size_t owed = 0;

	for (size_t i = 0; i < count; i++) {
		struct column *column = &columns[i];
		char cell[TEXT_CELL_MAX];
		size_t len = show_cell(cell, column, event) - cell;

		if (len > column->width)
			column->width = len;
		owed += 1 + (column->right ? column->width - len : 0);
		out_spaces(out, owed);
		if (tinted && !i)
			out_text(out, text_colour(event));
		out_bytes(out, cell, len);
		if (tinted && !i)
			out_text(out, "\033[0m");
		owed = column->right ? 0 : column->width - len;
	}
	out_spaces(out, owed); /* a detail follows every event's columns */
}

static void put_details(struct out *out, const struct event *event)
{
	for (size_t i = 0; i < DETAILS; i++) {
		const struct detail *detail = &details[i];
		char text[TEXT_VALUE_MAX], *end;

		if (!(detail->events & 1u << event->head->type) ||
		    (detail->is_plain && detail->is_plain(event)))
			continue;
		end = text_value(text, detail->field, event);
		if (!end)
			continue;
		out_text(out, detail->before);
		out_bytes(out, text, end - text);
		out_text(out, detail->after);
	}
}

/* A verdict other than proved: what it is, whose ends the socket has, why. */
static void put_verdict(struct out *out, const struct event *event)
{
	static const char *const keys[] = { "sock_laddr", "sock_lport",
					    "sock_raddr", "sock_rport" };
	char text[TEXT_VALUE_MAX];

	if (!event_is_arrival(event) || event->verdict == VERDICT_PROVED)
		return;
	out_text(out, " ");
	text_value_or(text, fields_find("verdict"), event, "?");
	out_text(out, text);
	if (event->arrival->have & DEMUX_HAVE_SOCK) {
		out_text(out, " (socket:");
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			out_text(out, " ");
			text_value_or(text, fields_find(keys[i]), event, "?");
			out_text(out, text);
		}
		out_text(out, ")");
	}
	out_text(out, ": ");
	out_text(out, event->why);
}

static bool wants_colour(const struct out *out)
{
	const char *no = out->tty ? getenv("NO_COLOR") : NULL;

	return out->tty && !(no && *no);
}

static void put_titles(struct out *out)
{
	out_text(out, "TIME           ");
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t pad = columns[i].width - strlen(columns[i].title);

		out_spaces(out, 1 + (columns[i].right ? pad : 0));
		out_text(out, columns[i].title);
		out_spaces(out, columns[i].right ? 0 : pad);
	}
	out_text(out, " HOW\n");
	out_end(out);
}

/*
 * Sockets that were there before: the listeners, and under a filter that asks
 * for few all of them, up to a number. The others are counted.
 */
static bool is_shown(struct sink *sink, const struct event *event)
{
	const struct model_sock *sock = event->sock;
	bool is_new = sock->number > sink->newest_socket;

	if (is_new)
		sink->newest_socket = sock->number;
	if (sink->sockets < SOCKETS_SHOWN &&
	    (sink->all_sockets || sock->last.state == TCP_LISTEN)) {
		sink->sockets++;
		return true;
	}
	sink->sockets_left += is_new;
	return false;
}

static void put_left(struct sink *sink)
{
	struct out *out = &sink->out;

	if (!sink->rows++)
		put_titles(out);
	out_spaces(out, 16);
	out_number(out, sink->sockets_left);
	out_text(out, sink->sockets_left == 1 ?
			      " more socket was there before\n" :
			      " more sockets were there before\n");
	out_end(out);
	sink->sockets_left = 0;
}

/* What --detail and -S ask for; --explain says it below the line. */
static void put_more(struct sink *sink, const struct event *event)
{
	if (event->head->type != DEMUX_SEGMENT || sink->explain)
		return;
	if (sink->detail)
		text_detail_why(&sink->out, event);
	if (sink->detail || sink->absolute)
		text_detail_numbers(&sink->out, event, sink->absolute);
}

static void event(struct sink *sink, const struct event *event)
{
	char time[CLOCK_TEXT_MAX];
	struct out *out = &sink->out;

	if (event->head->type == DEMUX_SOCKET && !sink->quiet &&
	    !is_shown(sink, event))
		return;
	if (event->head->type != DEMUX_SOCKET && sink->sockets_left)
		put_left(sink);
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
	put_more(sink, event);
	put_verdict(out, event);
	out_text(out, "\n");
	if (sink->explain && event_is_arrival(event))
		text_detail_explain(out, event, sink->absolute);
	out_end(out);
}

const struct sink_type sink_text = {
	.name = "text",
	.begin = begin,
	.event = event,
};
