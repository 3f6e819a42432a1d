// SPDX-License-Identifier: GPL-2.0-only
/*
 * text_detail.c - what a segment's line has at its end, and below it. Last
 * stage.
 */
#include "text_detail.h"

#include <string.h>

#include "explain.h"
#include "text_value.h"

#define LINE_MAX 100
#define INDENT   16 /* below the second column */

/* Where the field is known: the words, and then its text. */
static bool put(struct out *out, const struct event *event, const char *before,
		const char *key)
{
	const struct field *field = fields_find(key);
	char text[TEXT_VALUE_MAX];

	if (!field || !text_value(text, field, event))
		return false;
	out_text(out, before);
	out_text(out, text);
	return true;
}

void text_detail_numbers(struct out *out, const struct event *event,
			 bool absolute)
{
	bool has_ack = event->segment->flags & 0x10;

	put(out, event, " seq ", absolute ? "seq" : "seq_rel");
	if (has_ack)
		put(out, event, " ack ", absolute ? "ack" : "ack_rel");
	put(out, event, " win ", "window");
}

void text_detail_why(struct out *out, const struct event *event)
{
	if (put(out, event, " slot ", "hash_slot")) {
		bool stands = put(out, event, "/", "hash_slots") &&
			      put(out, event, " pos ", "chain_position");

		put(out, event, stands ? "/" : " chain ", "chain_length");
	}
	if (put(out, event, " ", "candidates")) {
		out_text(out, event->with_why->candidates == 1 ? " listener" :
								 " listeners");
		if (event->with_why->candidates > 1)
			put(out, event, " by ", "won_by");
	}
	if (put(out, event, " group ", "group_index")) {
		put(out, event, "/", "group_size");
		put(out, event, " by ", "group_by");
	}
	if (put(out, event, " queue ", "accept_queue"))
		put(out, event, "/", "accept_queue_limit");
}

void text_detail_explain(struct out *out, const struct event *event,
			 bool absolute)
{
	char text[EXPLAIN_MAX];
	const char *at = text;

	explain(text, event, absolute);
	while (*at) {
		size_t len = explain_line(at, LINE_MAX - INDENT);

		out_spaces(out, INDENT);
		out_bytes(out, at, len);
		out_text(out, "\n");
		at += len;
		at += strspn(at, " ");
	}
}
