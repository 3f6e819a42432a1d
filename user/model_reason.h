/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model_reason.h - why the kernel dropped a segment: the names of its reasons.
 * Third stage.
 */
#ifndef MODEL_REASON_H
#define MODEL_REASON_H

#include "model.h"

/* A name is told, once, before the first segment that has its number. 0 or
 * -ENOMEM. */
int model_reason_apply(struct model *model, struct event *event);

/* Fills the segment's drop_reason and detail. */
void model_reason_tell(const struct model *model, struct event *event);

#endif
