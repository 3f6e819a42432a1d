/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fields.h - every column of every event, once. All sinks that show events walk
 * this table, so text and JSON cannot drift apart.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "value.h"

struct field {
	const char *key; /* in JSON; documented in docs/formats.md */
	uint32_t events; /* bit 1 << type of enum demux_type */
	/* Fills @value, or returns false where it is unknown. */
	bool (*get)(const struct event *event, struct value *value);
};

/* In the order in which they are shown; the last has no key. */
extern const struct field fields[];
extern const struct field summary_fields[];

/* Event types and one; fields of one type and one. */
#define FIELDS_TYPES (DEMUX_BIND + 1)
#define FIELDS_MAX   80
/* Those that events of @type have, and NULL; ready for a sink's inner loop. */
const struct field *const *fields_of(unsigned int type);

/* That field, or NULL. */
const struct field *fields_find(const char *key);

#endif
