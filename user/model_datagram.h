/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model_datagram.h - model.c's part for UDP. Third stage.
 */
#ifndef MODEL_DATAGRAM_H
#define MODEL_DATAGRAM_H

#include "model.h"

/* One socket's copy of a datagram. 0 or -ENOMEM. */
int model_datagram_apply(struct model *model, struct event *event);

/* For one that was not asked for. 0 or -ENOMEM. */
int model_datagram_comes(struct model *model,
			 const struct demux_datagram *datagram);

/* A socket got its port in a call of the process that has it. 0 or -ENOMEM. */
int model_datagram_bind(struct model *model, struct event *event);

void model_datagram_free(struct model *model);

#endif
