/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * outputs.h - opens the sinks that the command line asks for.
 */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "options.h"
#include "pipeline.h"

/* Returns EXIT_DONE, or another exit code after a message; pipeline_close()
 * closes what is open either way. */
int outputs_open(struct pipeline *pipeline, const struct options *options);

#endif
