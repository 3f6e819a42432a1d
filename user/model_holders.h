/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model_holders.h - all the processes that have a socket open, for a model that
 * keeps all. Third stage.
 */
#ifndef MODEL_HOLDERS_H
#define MODEL_HOLDERS_H

#include "model.h"

/* A descriptor that is known already stays as it is, and one that was not known
 * is filled in. 0 or -ENOMEM; 0 too for a model that does not keep them. */
int model_holders_add(const struct model *model, struct model_sock *sock,
		      const struct model_holder *holder);
void model_holders_free(struct model_sock *sock);

#endif
