/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shown.h - what the columns of an event show, as text, for the tests of them.
 */
#ifndef TESTS_SHOWN_H
#define TESTS_SHOWN_H

#include "test.h"

#include "fields.h"
#include "proof.h"

static struct recording_head head;
static __attribute__((unused)) struct model_sock sock, parent;
static struct value value;

/* The field's value as a text, "-" where it is unknown. */
static inline const char *show(const struct field *field,
			       const struct event *event)
{
	static char text[100];

	if (!(field->events & 1u << event->head->type) ||
	    !field->get(event, &value))
		return "-";
	if (value.kind == VALUE_NAME || value.kind == VALUE_BYTES)
		return value.text;
	if (value.kind == VALUE_BOOL)
		return value.number ? "yes" : "no";
	snprintf(text, sizeof(text), "%lld", (long long)value.number);
	return text;
}

static inline const char *get(const char *key, const struct event *event)
{
	const struct field *field = fields_find(key);

	assert_non_null(field);
	return show(field, event);
}

struct expected {
	const char *key, *text;
};

static inline void expect(const struct event *event,
			  const struct expected *expected)
{
	for (; expected->key; expected++)
		if (strcmp(get(expected->key, event), expected->text))
			fail_msg("%s is '%s', not '%s'", expected->key,
				 get(expected->key, event), expected->text);
}

static inline struct event event_of(const void *record)
{
	const struct demux_head *from = record;
	struct event event;
	const char *problem;

	assert_int_equal(decode(&event, record, from->len, &problem), 0);
	head = make_head();
	event.trace = &head;
	return event;
}

#endif
