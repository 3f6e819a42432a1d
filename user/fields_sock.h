/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fields_sock.h - the columns that tell of a socket and of who owns it, for the
 * table in fields.c.
 */
#ifndef FIELDS_SOCK_H
#define FIELDS_SOCK_H

#include "fields.h"

/* The socket as the record has it; NULL where it has none. */
const struct demux_sock *fields_sock_record(const struct event *event);

/* Each as struct field wants it. */
#define FIELDS_SOCK(name) \
	bool fields_sock_##name(const struct event *event, struct value *value)

FIELDS_SOCK(number);
FIELDS_SOCK(state);
FIELDS_SOCK(substate);
FIELDS_SOCK(laddr);
FIELDS_SOCK(lport);
FIELDS_SOCK(ifindex);
FIELDS_SOCK(raddr);
FIELDS_SOCK(rport);
FIELDS_SOCK(mapped);
FIELDS_SOCK(child);
FIELDS_SOCK(parent);
FIELDS_SOCK(pid);
FIELDS_SOCK(tid);
FIELDS_SOCK(uid);
FIELDS_SOCK(user);
FIELDS_SOCK(comm);
FIELDS_SOCK(fd);
FIELDS_SOCK(inode);
FIELDS_SOCK(cookie);
FIELDS_SOCK(owners);
FIELDS_SOCK(backlog);
FIELDS_SOCK(segments);
FIELDS_SOCK(datagrams);
FIELDS_SOCK(bytes);

#undef FIELDS_SOCK

#endif
