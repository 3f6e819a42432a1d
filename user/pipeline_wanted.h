/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pipeline_wanted.h - what was asked for, of a recording.
 */
#ifndef PIPELINE_WANTED_H
#define PIPELINE_WANTED_H

#include "pipeline.h"

/* Is it asked for? What the kernel half does for a live trace. */
bool pipeline_wants(const struct pipeline *pipeline, const struct event *event);

#endif
