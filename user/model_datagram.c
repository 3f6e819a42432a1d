// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_datagram.c - what a datagram, and a UDP socket that gets its port, tell
 * the model. Third stage, part of model.c.
 */
#include "model_datagram.h"

#include "model_table.h"

#include <errno.h>

int model_datagram_apply(struct model *model, struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;
	struct port *port;
	int err;

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
	if (!(datagram->have & DEMUX_HAVE_PORTS))
		return 0;
	port = ports_get(&model->datagram_ports, datagram->ends.lport);
	if (!port)
		return -ENOMEM;
	port->segments += !datagram->copy;
	port->copies += event->sock && datagram->outcome <= DEMUX_MULTICAST;
	port->matched += event->sock && !datagram->copy &&
			 datagram->outcome <= DEMUX_MULTICAST;
	return 0;
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
	event->sock = sock;
	return 0;
}
