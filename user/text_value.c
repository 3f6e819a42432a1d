// SPDX-License-Identifier: GPL-2.0-only
/*
 * text_value.c - one field of an event as people read it. Last stage.
 */
#include "text_value.h"

#include <string.h>

#include "fields_sock.h"
#include "filter.h"
#include "names.h"

char *text_value(char *to, const struct field *field, const struct event *event)
{
	struct value value;

	if (!(field->events & 1u << event->head->type) ||
	    !field->get(event, &value))
		return NULL;
	*to = '\0';
	switch (value.kind) {
	case VALUE_SIGNED:
		if ((int64_t)value.number >= 0)
			return names_number(to, value.number);
		*to++ = '-';
		return names_number(to, -value.number);
	case VALUE_NUMBER:
		return names_number(to, value.number);
	case VALUE_NAME:
		return stpcpy(to, value.text);
	case VALUE_BYTES:
		names_escape(to, TEXT_VALUE_MAX, value.text,
			     strlen(value.text));
		return to + strlen(to);
	case VALUE_BOOL: /* the sink's own words say it */
		break;
	}
	return to;
}

char *text_value_or(char *to, const struct field *field,
		    const struct event *event, const char *unknown)
{
	char *end = text_value(to, field, event);

	return end ? end : stpcpy(to, unknown);
}

/* As ss(8) writes the device that a socket is bound to. */
static char *put_device(char *to, const struct demux_sock *sock)
{
	if (!sock || !sock->ifindex)
		return to;
	*to++ = '%';
	return names_number(to, sock->ifindex);
}

/* A listener has no remote end. One of UDP may have an address, and any port of
 * that. */
static bool has_raddr(const struct demux_sock *sock)
{
	return sock && sock->flags & DEMUX_SOCK_UDP &&
	       !is_any(sock->ends.raddr);
}

char *text_ends(char *to, const struct field *addr, const struct field *port,
		const struct event *event)
{
	char *end = text_value_or(to + 1, addr, event, "?");
	bool is_v6 = memchr(to + 1, ':', end - to - 1);
	bool is_arrival = event_is_arrival(event);
	char *at;

	/* One byte is kept free for the bracket that IPv6 needs. */
	if (is_v6) {
		to[0] = '[';
		*end++ = ']';
	} else {
		memmove(to, to + 1, end - to - 1);
		end--;
	}
	if (!is_arrival && addr->key[0] == 'l')
		end = put_device(end, fields_sock_record(event));
	*end++ = ':';
	at = end;
	end = text_value_or(at, port, event, "?");
	if (!is_arrival && addr->key[0] == 'r' && at[0] == '0')
		return has_raddr(fields_sock_record(event)) ? stpcpy(at, "*") :
							      stpcpy(to, "*:*");
	return end;
}
