// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink_json.c - JSON Lines: one flat object per event, unknown keys absent.
 * docs/formats.md lists the keys. Last stage.
 */
#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "json.h"
#include "names.h"
#include "proof.h"
#include "sink.h"

#define KEY_MAX   32
#define VALUE_MAX 72 /* but for VALUE_BYTES */

/* The fields of each type of event, with the text that comes before a value:
 * written once, since there are some 30 in every line. */
static struct key {
	const struct field *field;
	size_t len;
	char text[KEY_MAX]; /* ,"key": or, of the first, {"key": */
} keys[FIELDS_TYPES][FIELDS_MAX];

static void begin(struct sink *sink, const struct recording_head *trace)
{
	(void)sink;
	(void)trace;
	for (unsigned int type = 0; type < FIELDS_TYPES; type++) {
		const struct field *const *field = fields_of(type);
		struct key *key = keys[type];

		for (; *field; field++, key++) {
			key->field = *field;
			key->len = snprintf(key->text, KEY_MAX, "%c\"%s\":",
					    key == keys[type] ? '{' : ',',
					    (*field)->key);
		}
	}
}

/* All values but BYTES, which only json_string() can write. */
static char *put_value(char *to, const struct value *value)
{
	switch (value->kind) {
	case VALUE_SIGNED:
		if ((int64_t)value->number >= 0)
			return names_number(to, value->number);
		*to++ = '-';
		return names_number(to, -value->number);
	case VALUE_NUMBER:
		return names_number(to, value->number);
	case VALUE_BOOL:
		return stpcpy(to, value->number ? "true" : "false");
	case VALUE_NAME: /* nothing in it needs an escape */
		*to++ = '"';
		to = stpcpy(to, value->text);
		*to++ = '"';
		return to;
	case VALUE_BYTES:
		break;
	}
	return to;
}

/* The first field of every event is there always: it opens the line. */
static void put_fields(struct out *out, const struct event *event)
{
	/* Filled by what is a few instructions a value, and handed on once. */
	char line[FIELDS_MAX * (KEY_MAX + VALUE_MAX)], *to = line;
	const struct key *key = keys[event->head->type];
	struct value value;

	for (; key->field; key++) {
		if (!key->field->get(event, &value))
			continue;
		memcpy(to, key->text, KEY_MAX);
		to += key->len;
		if (value.kind != VALUE_BYTES) {
			to = put_value(to, &value);
			continue;
		}
		out_bytes(out, line, to - line);
		to = line;
		json_string(out, value.text);
	}
	out_bytes(out, line, to - line);
}

static void put_count(struct out *out, const char *key, uint64_t count,
		      bool *first)
{
	json_key(out, key, first);
	out_number(out, count);
}

static void put_port(struct out *out, const struct port *port)
{
	bool first = true;

	out_text(out, "{");
	put_count(out, "port", port->port, &first);
	put_count(out, "listeners", port->listeners, &first);
	put_count(out, "sockets", port->sockets, &first);
	if (!port->peers_full)
		put_count(out, "remote_endpoints", port->remote_ends, &first);
	put_count(out, "segments", port->segments, &first);
	put_count(out, "matched", port->matched, &first);
	put_count(out, "misdelivered", port->misdelivered, &first);
	out_text(out, "}");
}

static void put_datagram_port(struct out *out, const struct port *port)
{
	bool first = true;

	out_text(out, "{");
	put_count(out, "port", port->port, &first);
	put_count(out, "sockets", port->sockets, &first);
	put_count(out, "datagrams", port->segments, &first);
	put_count(out, "matched", port->matched, &first);
	put_count(out, "copies", port->copies, &first);
	put_count(out, "misdelivered", port->misdelivered, &first);
	out_text(out, "}");
}

static void put_ports(struct out *out, struct port *const *ports, size_t count,
		      void (*put)(struct out *out, const struct port *port))
{
	for (size_t i = 0; i < count; i++) {
		out_text(out, i ? "," : "");
		put(out, ports[i]);
	}
	out_text(out, "]");
}

static void put_summary(struct out *out, const struct summary *summary)
{
	out_text(out, ",\"why\":[");
	for (size_t i = 0; i < summary->doubt_count; i++) {
		out_text(out, i ? "," : "");
		json_string(out, summary->doubts[i]);
	}
	out_text(out, "],\"ports\":[");
	put_ports(out, summary->ports, summary->port_count, put_port);
	if (!summary->udp.is_there)
		return;
	out_text(out, ",\"udp_ports\":[");
	put_ports(out, summary->udp_ports, summary->udp_port_count,
		  put_datagram_port);
}

static void event(struct sink *sink, const struct event *event)
{
	struct out *out = &sink->out;

	if (event->head->type != DEMUX_END && (sink->quiet || event->repeated))
		return;
	put_fields(out, event);
	if (event->head->type == DEMUX_END)
		put_summary(out, event->summary);
	out_text(out, "}\n");
	out_end(out);
}

const struct sink_type sink_json = {
	.name = "json",
	.begin = begin,
	.event = event,
};
