// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_datagram.c - what a datagram, and a UDP socket that gets its port, tell
 * the model. Third stage, part of model.c.
 */
#include "model_datagram.h"

#include "model_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A CPU's datagrams of which more may be told: one may come inside another one, as
 * a tunnel's does, or tasks take turns (PREEMPT_RT). */
#define RECENT_MAX 4

struct recent {
	uint64_t mono_ns;
	bool is_wanted; /* one of its records was asked for */
	bool is_matched; /* and a socket got it */
};

struct datagram_cpu {
	struct htab_node by_cpu;
	uint32_t cpu;
	unsigned int count;
	struct recent recent[RECENT_MAX]; /* first the one that was told last */
};

static struct datagram_cpu *find_cpu(const struct model *model, uint32_t cpu)
{
	struct htab_node *node =
		htab_find(&model->datagram_cpus, htab_mix(0, cpu));

	for (; node; node = htab_next(node)) {
		struct datagram_cpu *of =
			htab_entry(node, struct datagram_cpu, by_cpu);

		if (of->cpu == cpu)
			return of;
	}
	return NULL;
}

static struct datagram_cpu *add_cpu(struct model *model, uint32_t cpu)
{
	struct datagram_cpu *of = calloc(1, sizeof(*of));

	if (!of)
		return NULL;
	of->cpu = cpu;
	if (!htab_add(&model->datagram_cpus, &of->by_cpu, htab_mix(0, cpu)))
		return of;
	free(of);
	return NULL;
}

int model_datagram_comes(struct model *model,
			 const struct demux_datagram *datagram)
{
	const struct demux_head *head = &datagram->head;
	struct datagram_cpu *of = find_cpu(model, head->cpu) ?:
					  add_cpu(model, head->cpu);
	struct recent now = { .mono_ns = head->mono_ns };
	unsigned int at = 0;

	if (!of)
		return -ENOMEM;
	while (at < of->count && of->recent[at].mono_ns != head->mono_ns)
		at++;
	if (at < of->count) {
		now = of->recent[at];
	} else {
		model->datagrams++;
		if (of->count < RECENT_MAX)
			of->count++;
		else
			at--;
	}
	memmove(of->recent + 1, of->recent, at * sizeof(now));
	of->recent[0] = now;
	return 0;
}

/* Counts it, once for all its records that were asked for. */
static int count_datagram(struct model *model, struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;
	struct recent *of = find_cpu(model, datagram->head.cpu)->recent;
	bool is_got = event->sock && datagram->outcome <= DEMUX_MULTICAST;
	struct port *port;

	event->is_first = !of->is_wanted;
	of->is_wanted = true;
	if (!(datagram->have & DEMUX_HAVE_PORTS))
		return 0;
	port = ports_get(&model->datagram_ports, datagram->ends.lport);
	if (!port)
		return -ENOMEM;
	port->segments += event->is_first;
	port->copies += is_got;
	port->matched += is_got && !of->is_matched;
	of->is_matched |= is_got;
	return 0;
}

int model_datagram_apply(struct model *model, struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;
	int err = model_datagram_comes(model, datagram);

	if (err)
		return err;
	if (datagram->have & DEMUX_HAVE_DROP &&
	    datagram->drop_reason < MODEL_REASONS)
		event->drop_reason = model->reasons[datagram->drop_reason];
	if (datagram->have & DEMUX_HAVE_SOCK) {
		struct model_sock *sock;

		err = model_table_meet(model, &datagram->sock,
				       datagram->head.mono_ns, &sock);
		if (err)
			return err;
		sock->segments++;
		if (datagram->outcome <= DEMUX_MULTICAST)
			sock->bytes += datagram->have & DEMUX_HAVE_LEN ?
					       datagram->payload :
					       0;
		event->sock = sock;
	}
	return count_datagram(model, event);
}

static void free_cpu(struct htab_node *node, void *context)
{
	(void)context;
	free(htab_entry(node, struct datagram_cpu, by_cpu));
}

void model_datagram_free(struct model *model)
{
	htab_each(&model->datagram_cpus, free_cpu, NULL);
	htab_free(&model->datagram_cpus);
	ports_free(&model->datagram_ports);
}

int model_datagram_bind(struct model *model, struct event *event)
{
	const struct demux_accept *bind = event->accept;
	struct model_sock *sock;
	int err =
		model_table_meet(model, &bind->sock, bind->head.mono_ns, &sock);

	if (err)
		return err;
	if (bind->have & DEMUX_HAVE_OWNER)
		model_table_own(sock, bind->pid, bind->comm);
	/* connect() to a link-local address binds it to its device, and to none
	 * where that ends. */
	if (sock->bound_to != bind->sock.ifindex &&
	    sock->born_ns < bind->head.mono_ns)
		sock->rebound_ns = bind->head.mono_ns;
	sock->bound_to = bind->sock.ifindex;
	event->sock = sock;
	return 0;
}
