// SPDX-License-Identifier: GPL-2.0-only
/*
 * pipeline_wanted.c - what was asked for, of a recording.
 */
#include "pipeline_wanted.h"

#include "filter.h"

static bool is_wanted_arrival(const struct demux_config *wanted,
			      const struct demux_arrival *got)
{
	return filter_proto(wanted, got->head.type == DEMUX_DATAGRAM ?
					    DEMUX_UDP :
					    DEMUX_TCP) &&
	       filter_family(wanted, got->ends.family) &&
	       filter_port(wanted, got->ends.lport) &&
	       filter_netns(wanted, got->netns) &&
	       (!wanted->remote_family || got->have & DEMUX_HAVE_ADDRS) &&
	       filter_remote(wanted, &got->ends);
}

bool pipeline_wants(const struct pipeline *pipeline, const struct event *event)
{
	const struct demux_config *wanted = pipeline->wanted;
	const struct demux_sock *sock = NULL;
	uint32_t pid = 0;

	if (!wanted)
		return true;
	switch (event->head->type) {
	case DEMUX_ACCEPT:
	case DEMUX_BIND:
	case DEMUX_SOCKET:
		sock = &event->accept->sock;
		if (event->accept->have & DEMUX_HAVE_OWNER)
			pid = event->accept->pid;
		break;
	case DEMUX_LISTEN:
		sock = &event->listen->sock;
		pid = event->listen->pid;
		break;
	case DEMUX_CLOSE:
		sock = &event->close->sock;
		break;
	case DEMUX_DEVICE:
		sock = &event->device->sock;
		break;
	case DEMUX_REASON:
		return true;
	}
	if (!(sock ? filter_sock(wanted, sock) :
		     is_wanted_arrival(wanted, event->arrival)))
		return false;
	if (!wanted->pid || wanted->pid == pid)
		return true;
	if (!sock)
		sock = event_met(event);
	return (sock && model_owns(&pipeline->model, sock->id, wanted->pid)) ||
	       (event->with_parent &&
		model_owns(&pipeline->model, event->with_parent->id,
			   wanted->pid));
}
