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

/* Which events have a field: a bit for each type, and their usual sets. */
enum field_events {
	OF_SEGMENT = 1 << DEMUX_SEGMENT,
	OF_ACCEPT = 1 << DEMUX_ACCEPT,
	OF_LISTEN = 1 << DEMUX_LISTEN,
	OF_CLOSE = 1 << DEMUX_CLOSE,
	OF_SOCKET = 1 << DEMUX_SOCKET,
	OF_DATAGRAM = 1 << DEMUX_DATAGRAM,
	OF_BIND = 1 << DEMUX_BIND,
	OF_DEVICE = 1 << DEMUX_DEVICE,
	OF_END = 1 << DEMUX_END,
	OF_ARRIVALS = OF_SEGMENT | OF_DATAGRAM,
	OF_SOCKETS = OF_ACCEPT | OF_LISTEN | OF_CLOSE | OF_SOCKET | OF_BIND |
		     OF_DEVICE,
	OF_ALL = OF_ARRIVALS | OF_SOCKETS,
};

struct field {
	const char *key; /* in JSON; documented in docs/formats.md */
	uint32_t events; /* enum field_events */
	/* Fills @value, or returns false where it is unknown. */
	bool (*get)(const struct event *event, struct value *value);
};

/* In the order in which they are shown; the last has no key. */
extern const struct field fields[];
extern const struct field summary_fields[];

/* Event types and one; fields of one type and one. */
#define FIELDS_TYPES (DEMUX_DEVICE + 1)
#define FIELDS_MAX   80
/* Those that events of @type have, and NULL; ready for a sink's inner loop. */
const struct field *const *fields_of(unsigned int type);

/* That field, or NULL. */
const struct field *fields_find(const char *key);

#endif
