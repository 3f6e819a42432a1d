/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "pipeline.h"

#define OPTIONS_RING_SIZE (16u << 20) /* where nothing else is asked for */

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* while running */
	EXIT_USAGE = 2,
	EXIT_CANNOT_TRACE = 3, /* nothing here can, and why was said */
};

struct output {
	const struct sink_type *type;
	const char *path; /* "-" is standard output */
};

enum task {
	TASK_TRACE,
	TASK_DEMO,
	TASK_DOCTOR,
	TASK_SOCKETS,
};

struct options {
	enum task task;
	struct demux_config wanted; /* its first part, and the ports */
	bool has_filter; /* a replay has to apply it */
	bool any_proto; /* neither -t nor -u was given */
	char **command; /* to be run and traced, NULL: none */
	uint64_t count; /* 0: no end */
	uint64_t duration_ns; /* 0: no end */
	struct output outputs[PIPELINE_SINKS_MAX];
	size_t output_count; /* at least 1 */
	bool quiet;
	bool explain; /* text says in sentences why it was this socket */
	bool one_bucket; /* of the demo */
	bool absolute; /* text shows sequence numbers as they are */
	const char *replay; /* NULL: live */
	const char *backend; /* NULL: the first that works */
	const char *without;
	size_t ring_size;
	bool no_sandbox;
};

/* Fills @options, or ends the program: 2 after a message for a wrong command
 * line, 0 after --help and --version. */
void options_parse(struct options *options, int argc, char **argv);

#endif
