/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pipeline.h - the line itself: a source's records through decode, model and
 * proof into the sinks.
 */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "config.h"
#include "held.h"
#include "model.h"
#include "proof.h"
#include "sink.h"
#include "source.h"

#define PIPELINE_SINKS_MAX 16

struct pipeline {
	struct source *source;
	struct sink sinks[PIPELINE_SINKS_MAX];
	size_t sink_count;
	const struct demux_config *wanted; /* what a replay still has to filter;
					      NULL where the kernel did */
	bool keeps_all; /* the model does, for a list of all sockets */
	uint64_t count_max; /* --count, 0: no end */
	uint64_t duration_ns; /* --duration, 0: no end */
	/* Called once a round, may be NULL; non-zero ends the trace. */
	int (*tick)(void *context);
	void *tick_context;

	struct model model;
	struct proof proof;
	struct held held; /* segments that are not judged yet */
	struct summary summary;
	bool ended; /* the summary was handed on */
	int error;
};

/*
 * Runs until a signal, the end of the recording, --count or --duration, then
 * drains the source and hands the summary on. Returns 0, -EPIPE where a reader
 * of a sink went away, or another -errno after a message. The sinks stay open.
 */
int pipeline_run(struct pipeline *pipeline);

/* Closes the source and the sinks. The first error of them, or 0. */
int pipeline_close(struct pipeline *pipeline);

#endif
