// SPDX-License-Identifier: GPL-2.0-only
/*
 * decode.c - raw bytes become a checked event. Second stage.
 */
#include "decode.h"

#include <errno.h>
#include <string.h>

#include "tcp_states.h"

static const char *check_ends(const struct demux_ends *ends)
{
	return ends->family == 4 || ends->family == 6 ? NULL :
							"bad address family";
}

static const char *check_any_sock(const struct demux_sock *sock)
{
	if (!sock->id)
		return "socket without an id";
	if (!sock->state || sock->state > 15)
		return "bad socket state";
	if (sock->substate && sock->state != TCP_TIME_WAIT)
		return "a socket with a TIME_WAIT socket's substate";
	return check_ends(&sock->ends);
}

static const char *check_sock(const struct demux_sock *sock)
{
	if (sock->flags & DEMUX_SOCK_BY_ENDS)
		return "socket with a made-up id";
	return check_any_sock(sock);
}

static const char *check_segment(struct event *event)
{
	const struct demux_segment *seg = event->segment;
	const struct demux_segment_more *more = (const void *)seg;
	const struct demux_segment_why *why = (const void *)seg;
	bool has_more = seg->have & (DEMUX_HAVE_PARENT | DEMUX_HAVE_CHILD);
	const char *problem = check_ends(&seg->ends);

	if (problem)
		return problem;
	if (has_more && seg->head.len < sizeof(*more))
		return "too short for the sockets it has";
	if (seg->have & DEMUX_HAVE_WHY) {
		if (seg->head.len < sizeof(*why))
			return "too short for the reasons it has";
		if (why->why.option_bytes > DEMUX_OPTIONS)
			return "more TCP options than fit into a header";
		event->with_why = &why->why;
	}
	if (seg->have & DEMUX_HAVE_OUTCOME &&
	    (!seg->outcome || seg->outcome > DEMUX_MALFORMED))
		return "bad outcome";
	if (seg->have & DEMUX_HAVE_VIA &&
	    (!seg->via || seg->via > DEMUX_ASSIGNED))
		return "bad way of the match";
	if (seg->have & DEMUX_HAVE_DETAIL &&
	    (!seg->detail || seg->detail > DEMUX_ENDED))
		return "bad detail";
	if (seg->have & DEMUX_HAVE_PARENT)
		event->with_parent = &more->parent;
	if (seg->have & DEMUX_HAVE_CHILD)
		event->with_child = &more->child;
	if (seg->have & DEMUX_HAVE_SOCK)
		problem = check_sock(&seg->sock);
	if (!problem && event->with_parent)
		problem = check_sock(event->with_parent);
	if (!problem && event->with_child)
		problem = check_sock(event->with_child);
	return problem;
}

static const char *check_datagram(struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;
	const char *problem = check_ends(&datagram->ends);

	if (problem)
		return problem;
	if (datagram->have & DEMUX_HAVE_OUTCOME &&
	    (!datagram->outcome || datagram->outcome > DEMUX_BAD_DATAGRAM))
		return "bad outcome";
	if (datagram->have & DEMUX_HAVE_VIA &&
	    (!datagram->via || datagram->via > DEMUX_ASSIGNED))
		return "bad way of the match";
	if ((datagram->have & (DEMUX_HAVE_SDIF | DEMUX_HAVE_DROP) &&
	     datagram->head.len < DEMUX_DATAGRAM_LEN2) ||
	    (datagram->have & DEMUX_HAVE_CHOOSER &&
	     datagram->head.len < sizeof(*datagram)))
		return "too short for what it has";
	if (!(datagram->have & DEMUX_HAVE_SOCK))
		return NULL;
	if (!(datagram->sock.flags & DEMUX_SOCK_UDP))
		return "a datagram with a socket that is not UDP's";
	return check_sock(&datagram->sock);
}

static const char *check_accept(struct event *event)
{
	return check_sock(&event->accept->sock);
}

/* What was there before the trace was in the kernel's lookup tables. */
static const char *check_socket(struct event *event)
{
	const struct demux_sock *sock = &event->accept->sock;

	if (sock->state == TCP_CLOSE && !(sock->flags & DEMUX_SOCK_UDP))
		return "bad socket state";
	return check_any_sock(sock);
}

static const char *check_bind(struct event *event)
{
	const struct demux_sock *sock = &event->accept->sock;

	if (!(sock->flags & DEMUX_SOCK_UDP))
		return "bound, and not UDP's";
	return check_sock(sock);
}

static const char *check_device(struct event *event)
{
	return check_sock(&event->device->sock);
}

static const char *check_listen(struct event *event)
{
	return check_sock(&event->listen->sock);
}

static const char *check_close(struct event *event)
{
	if (event->close->how != DEMUX_UNHASHED &&
	    event->close->how != DEMUX_DESTROYED)
		return "bad way to close";
	return check_sock(&event->close->sock);
}

static const char *check_reason(struct event *event)
{
	const struct demux_reason *reason = event->reason;
	size_t len = strnlen(reason->name, sizeof(reason->name));

	/* It goes into JSON and to terminals as it is. */
	if (!len || len == sizeof(reason->name) ||
	    strspn(reason->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") !=
		    len)
		return "bad name of a drop reason";
	return NULL;
}

static const char *check_end(struct event *event)
{
	const struct demux_end *end = event->end;

	if (end->head.len >= sizeof(*end))
		event->datagrams = &end->datagrams;
	if (end->counters.filtered > end->counters.seen ||
	    (event->datagrams &&
	     event->datagrams->filtered > event->datagrams->seen))
		return "more filtered than seen";
	return NULL;
}

static const struct {
	size_t size; /* at least; a newer writer may append */
	const char *(*check)(struct event *event);
} types[] = {
	[DEMUX_SEGMENT] = { sizeof(struct demux_segment), check_segment },
	[DEMUX_ACCEPT] = { sizeof(struct demux_accept), check_accept },
	[DEMUX_LISTEN] = { sizeof(struct demux_listen), check_listen },
	[DEMUX_CLOSE] = { sizeof(struct demux_close), check_close },
	[DEMUX_END] = { DEMUX_END_LEN, check_end },
	[DEMUX_SOCKET] = { sizeof(struct demux_accept), check_socket },
	[DEMUX_REASON] = { sizeof(struct demux_reason), check_reason },
	[DEMUX_DATAGRAM] = { DEMUX_DATAGRAM_LEN, check_datagram },
	[DEMUX_BIND] = { sizeof(struct demux_accept), check_bind },
	[DEMUX_DEVICE] = { sizeof(struct demux_device), check_device },
};

int decode(struct event *event, const void *bytes, size_t len,
	   const char **problem)
{
	const struct demux_head *head = bytes;

	*event = (struct event){ .head = head };
	*problem = NULL;
	if (len < sizeof(*head) || head->len > len ||
	    head->len < sizeof(*head) || head->len % 8) {
		*problem = "bad length";
		return -EBADMSG;
	}
	if (head->type >= sizeof(types) / sizeof(types[0]) ||
	    !types[head->type].size)
		return -ENOTSUP;
	if (head->len < types[head->type].size) {
		*problem = "too short for its type";
		return -EBADMSG;
	}
	event->segment = bytes; /* all members of the union start alike */
	*problem = types[head->type].check(event);
	return *problem ? -EBADMSG : 0;
}
