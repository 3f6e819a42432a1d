// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields_sock.c - the columns that tell of a socket and of who owns it.
 */
#include "fields_sock.h"

#include <string.h>

#include "model.h"
#include "names.h"
#include "recording.h"
#include "tcp_states.h"
#include "users.h"

#define GETTER(name) \
	bool fields_sock_##name(const struct event *event, struct value *value)

const struct demux_sock *fields_sock_record(const struct event *event)
{
	switch (event->head->type) {
	case DEMUX_SEGMENT:
	case DEMUX_DATAGRAM:
		return event_met(event);
	case DEMUX_ACCEPT:
	case DEMUX_BIND:
	case DEMUX_SOCKET:
		return &event->accept->sock;
	case DEMUX_LISTEN:
		return &event->listen->sock;
	case DEMUX_CLOSE:
		return &event->close->sock;
	case DEMUX_DEVICE:
		return &event->device->sock;
	}
	return NULL;
}

/* --- the socket ------------------------------------------------------------------ */

GETTER(number)
{
	return event->sock && value_number(value, event->sock->number);
}

/* What ss and netstat call it: to them a request is in SYN_RECV, and what the
 * kernel keeps of an orphan may still be in FIN_WAIT2. */
static __u8 known_state(const struct demux_sock *sock)
{
	if (sock->state == TCP_NEW_SYN_RECV)
		return TCP_SYN_RECV;
	return sock->substate ?: sock->state;
}

GETTER(state)
{
	const struct demux_sock *sock = fields_sock_record(event);

	if (event->listed && model_is_gone(event->sock))
		return value_name(value, "CLOSE");
	if (sock && sock->flags & DEMUX_SOCK_UDP)
		return value_name(value, names_udp_state(sock->state));
	if (sock && event->head->type == DEMUX_SOCKET)
		return value_name(value, names_state(known_state(sock)));
	return sock && value_name(value, names_state(sock->state));
}

GETTER(substate)
{
	const struct demux_sock *sock = fields_sock_record(event);

	return sock && sock->substate &&
	       value_name(value, names_state(sock->substate));
}

#define SOCK_ADDR(name)                                                       \
	GETTER(name)                                                          \
	{                                                                     \
		const struct demux_sock *sock = fields_sock_record(event);    \
                                                                              \
		return sock &&                                                \
		       value_addr(value, sock->ends.name, sock->ends.family); \
	}

#define SOCK_PORT(name)                                                    \
	GETTER(name)                                                       \
	{                                                                  \
		const struct demux_sock *sock = fields_sock_record(event); \
                                                                           \
		return sock && value_number(value, sock->ends.name);       \
	}

SOCK_ADDR(laddr)
SOCK_PORT(lport)
SOCK_ADDR(raddr)
SOCK_PORT(rport)

/* That it is bound to none any more is told; else that goes without saying. */
GETTER(ifindex)
{
	const struct demux_sock *sock = fields_sock_record(event);

	return sock && (sock->ifindex || event->head->type == DEMUX_DEVICE) &&
	       value_number(value, sock->ifindex);
}

/* An IPv6 socket with an IPv4 peer: ::ffff:a.b.c.d on both ends. */
GETTER(mapped)
{
	const struct demux_sock *sock = fields_sock_record(event);
	const uint8_t *raddr;

	if (!sock || sock->ends.family != 6)
		return false;
	if (event_is_arrival(event))
		return value_bool(value, event->arrival->ends.family == 4);
	raddr = sock->ends.raddr;
	return value_bool(value,
			  !memcmp(raddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12));
}

GETTER(child)
{
	return event->child && value_number(value, event->child->number);
}

GETTER(parent)
{
	if (event->parent)
		return value_number(value, event->parent->number);
	return event->sock && event->sock->parent &&
	       value_number(value, event->sock->parent);
}

/* --- its owner ------------------------------------------------------------------- */

/* The record that says who accepted the socket, or has it open. NULL where only
 * the model can tell. */
static const struct demux_accept *named(const struct event *event)
{
	if ((event->head->type == DEMUX_ACCEPT ||
	     event->head->type == DEMUX_BIND ||
	     event->head->type == DEMUX_SOCKET) &&
	    event->accept->have & DEMUX_HAVE_OWNER)
		return event->accept;
	return NULL;
}

GETTER(pid)
{
	const struct demux_accept *by = named(event);

	if (by)
		return value_number(value, by->pid);
	return event->sock && event->sock->has_owner &&
	       value_number(value, event->sock->pid);
}

#define ACTOR_NUMBER(name)                                       \
	GETTER(name)                                             \
	{                                                        \
		const struct demux_accept *by = named(event);    \
                                                                 \
		if (by)                                          \
			return value_number(value, by->name);    \
		return event->head->type == DEMUX_LISTEN &&      \
		       value_number(value, event->listen->name); \
	}

ACTOR_NUMBER(tid)
ACTOR_NUMBER(uid)

/* Not of a recording, which may be another machine's. */
GETTER(user)
{
	const struct demux_accept *by = named(event);
	const char *name = by && event->listed ? users_name(by->uid) : NULL;

	return name && value_text(value, name);
}

GETTER(comm)
{
	const struct demux_accept *by = named(event);

	if (by)
		return value_bytes(value, by->comm, sizeof(by->comm));
	return event->sock && event->sock->has_owner &&
	       value_bytes(value, event->sock->comm, sizeof(event->sock->comm));
}

GETTER(fd)
{
	const struct demux_accept *by = named(event);

	if (by)
		return by->have & DEMUX_HAVE_FD && value_signed(value, by->fd);
	return event->sock && event->sock->has_fd &&
	       value_signed(value, event->sock->fd);
}

GETTER(inode)
{
	return event->accept->have & DEMUX_HAVE_INODE &&
	       value_number(value, event->accept->inode);
}

GETTER(cookie)
{
	return event->accept->have & DEMUX_HAVE_COOKIE &&
	       value_number(value, event->accept->cookie);
}

/* One goes without saying. */
GETTER(owners)
{
	return event->sock && event->sock->owners > 1 &&
	       value_number(value, event->sock->owners);
}

GETTER(backlog)
{
	return value_number(value, event->listen->backlog);
}

/* Nothing is counted before the trace, nor where there was none. Whether UDP was
 * traced, nothing tells but that something came. */
static bool is_counted(const struct event *event)
{
	const struct model_sock *sock = event->sock;

	if (!sock || event->head->type == DEMUX_CLOSE)
		return sock;
	return event->listed && *event->trace->backend &&
	       (sock->segments || !(sock->last.flags & DEMUX_SOCK_UDP));
}

static bool is_udp(const struct event *event)
{
	return event->sock->last.flags & DEMUX_SOCK_UDP;
}

/* How many segments matched it. */
GETTER(segments)
{
	return is_counted(event) && !is_udp(event) &&
	       value_number(value, event->sock->segments);
}

/* How many datagrams a UDP socket got. */
GETTER(datagrams)
{
	return is_counted(event) && is_udp(event) &&
	       value_number(value, event->sock->segments);
}

GETTER(bytes)
{
	return is_counted(event) && value_number(value, event->sock->bytes);
}
