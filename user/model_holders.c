// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_holders.c - all the processes that have a socket open. Third stage.
 */
#include "model_holders.h"

#include <errno.h>
#include <stdlib.h>

int model_holders_add(const struct model *model, struct model_sock *sock,
		      const struct model_holder *holder)
{
	struct model_holder **at = &sock->holders;

	if (!model->keeps_all)
		return 0;
	for (; *at; at = &(*at)->next) {
		struct model_holder *old = *at;

		if (old->pid != holder->pid ||
		    (old->has_fd && holder->has_fd && old->fd != holder->fd))
			continue;
		if (!holder->has_fd)
			return 0;
		old->has_fd = true;
		old->fd = holder->fd;
		return 0;
	}
	*at = malloc(sizeof(**at));
	if (!*at)
		return -ENOMEM;
	**at = *holder;
	(*at)->next = NULL;
	return 0;
}

void model_holders_free(struct model_sock *sock)
{
	struct model_holder *holder;

	while ((holder = sock->holders)) {
		sock->holders = holder->next;
		free(holder);
	}
}
