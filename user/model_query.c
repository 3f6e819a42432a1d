// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_query.c - what other stages ask the model. Third stage.
 */
#include "model.h"

bool model_owns(const struct model *model, uint64_t id, uint32_t pid)
{
	const struct model_sock *sock = model_find(model, id);

	return sock && ((sock->has_owner && sock->pid == pid) ||
			sock->parent_pid == pid);
}

struct visit {
	model_visit visit;
	void *context;
};

static void visit_node(struct htab_node *node, void *context)
{
	const struct visit *to = context;

	to->visit(htab_entry(node, struct model_sock, by_id), to->context);
}

void model_each(struct model *model, model_visit visit, void *context)
{
	struct visit to = { visit, context };

	htab_each(&model->socks, visit_node, &to);
	for (struct model_sock *sock = model->dead; sock;
	     sock = sock->next_dead)
		if (sock->replaced) /* and therefore not in socks */
			visit(sock, context);
}

struct numbered {
	uint64_t number;
	const struct model_sock *sock;
};

static void find_number(struct model_sock *sock, void *context)
{
	struct numbered *wanted = context;

	if (sock->number == wanted->number)
		wanted->sock = sock;
}

bool model_is_gone_number(struct model *model, uint64_t number)
{
	struct numbered wanted = { .number = number };

	model_each(model, find_number, &wanted);
	return !wanted.sock || model_is_gone(wanted.sock);
}

static void count_bypassed(struct htab_node *node, void *context)
{
	uint64_t *count = context;

	*count += htab_entry(node, struct model_sock, by_id)->bypassed_ns != 0;
}

uint64_t model_bypassed(struct model *model)
{
	uint64_t count = model->bypassed;

	htab_each(&model->socks, count_bypassed, &count);
	for (struct model_sock *sock = model->dead; sock;
	     sock = sock->next_dead)
		count += sock->replaced && sock->bypassed_ns;
	return count;
}
