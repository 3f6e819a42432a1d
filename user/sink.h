/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sink.h - where events go: text, JSON, a recording. Last stage.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "out.h"
#include "recording.h"

struct sink;

struct sink_type {
	const char *name;
	/* What comes before the first event; may be omitted. */
	void (*begin)(struct sink *sink, const struct recording_head *trace);
	/* Takes an event; the last one is DEMUX_END with its summary, also of a
	 * recording that has no end. Errors stay in sink->out. */
	void (*event)(struct sink *sink, const struct event *event);
};

struct sink {
	const struct sink_type *type;
	struct out out;
	bool quiet; /* only the summary */
	bool detail; /* with what is known of the lookup; for text */
	bool explain; /* in sentences; for text */
	bool absolute; /* sequence numbers; for text */
	bool all_sockets; /* of before the trace, not listeners alone: for text */
	unsigned int rows; /* shown so far */
	unsigned int sockets; /* of before the trace, shown */
	unsigned int sockets_left; /* and left out */
	uint64_t newest_socket; /* of these, its number */
};

/* NULL for a name that no sink has. */
const struct sink_type *sink_find(const char *name);
/* "text, json, record" */
const char *sink_names(void);

/* Opens @path ("-" is standard output) for that type. 0, or -errno after a
 * message. */
int sink_open(struct sink *sink, const struct sink_type *type,
	      const char *path);
/* 0, or -errno after a message; a closed pipe (-EPIPE) needs none. */
int sink_close(struct sink *sink);

extern const struct sink_type sink_text, sink_json, sink_record;
/* Not by name: the list of all sockets at the end, instead of events. */
extern const struct sink_type sink_sockets_text, sink_sockets_json;

#endif
