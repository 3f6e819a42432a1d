// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink_json.c - JSON Lines: one flat object per event, unknown keys absent.
 * docs/formats.md lists the keys. Last stage.
 */
#include "fields.h"
#include "json.h"
#include "proof.h"
#include "sink.h"

static void put_value(struct out *out, const struct value *value)
{
	switch (value->kind) {
	case VALUE_SIGNED:
		if ((int64_t)value->number < 0) {
			out_bytes(out, "-", 1);
			out_number(out, -value->number);
			break;
		}
		/* fall through */
	case VALUE_NUMBER:
		out_number(out, value->number);
		break;
	case VALUE_BOOL:
		out_text(out, value->number ? "true" : "false");
		break;
	case VALUE_NAME: /* nothing in it needs an escape */
		out_bytes(out, "\"", 1);
		out_text(out, value->text);
		out_bytes(out, "\"", 1);
		break;
	case VALUE_BYTES:
		json_string(out, value->text);
		break;
	}
}

static void put_fields(struct out *out, const struct event *event, bool *first)
{
	const struct field *const *field = fields_of(event->head->type);
	struct value value;

	for (; *field; field++) {
		if (!(*field)->get(event, &value))
			continue;
		json_key(out, (*field)->key, first);
		put_value(out, &value);
	}
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
		put_count(out, "remote_endpoints", port->peers.count, &first);
	put_count(out, "segments", port->segments, &first);
	put_count(out, "matched", port->matched, &first);
	put_count(out, "misdelivered", port->misdelivered, &first);
	out_text(out, "}");
}

static void put_summary(struct out *out, const struct summary *summary,
			bool *first)
{
	json_key(out, "why", first);
	out_text(out, "[");
	for (size_t i = 0; i < summary->doubt_count; i++) {
		if (i)
			out_text(out, ",");
		json_string(out, summary->doubts[i]);
	}
	out_text(out, "]");
	json_key(out, "ports", first);
	out_text(out, "[");
	for (size_t i = 0; i < summary->port_count; i++) {
		if (i)
			out_text(out, ",");
		put_port(out, summary->ports[i]);
	}
	out_text(out, "]");
}

static void event(struct sink *sink, const struct event *event)
{
	struct out *out = &sink->out;
	bool first = true;

	if (event->head->type != DEMUX_END && (sink->quiet || event->repeated))
		return;
	out_text(out, "{");
	put_fields(out, event, &first);
	if (event->head->type == DEMUX_END)
		put_summary(out, event->summary, &first);
	out_text(out, "}\n");
	out_end(out);
}

const struct sink_type sink_json = {
	.name = "json",
	.about = "JSON Lines, one object per event",
	.event = event,
};
