/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model_datagram.h - model.c's part for UDP. Third stage.
 */
#ifndef MODEL_DATAGRAM_H
#define MODEL_DATAGRAM_H

#include "model.h"

/* One socket's copy of a datagram. 0 or -ENOMEM. */
int model_datagram_apply(struct model *model, struct event *event);

/* A socket got its port in a call of the process that has it. 0 or -ENOMEM. */
int model_datagram_bind(struct model *model, struct event *event);

#endif
