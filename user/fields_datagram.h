/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fields_datagram.h - the columns of datagrams alone, for the table in
 * fields.c.
 */
#ifndef FIELDS_DATAGRAM_H
#define FIELDS_DATAGRAM_H

#include "fields.h"

/* Each as struct field wants it. */
#define FIELDS_DATAGRAM(name)                                  \
	bool fields_datagram_##name(const struct event *event, \
				    struct value *value)

FIELDS_DATAGRAM(copy);
FIELDS_DATAGRAM(score);
FIELDS_DATAGRAM(score_parts);
FIELDS_DATAGRAM(group_size);
FIELDS_DATAGRAM(group_index);
FIELDS_DATAGRAM(group_by);
FIELDS_DATAGRAM(icmp);
FIELDS_DATAGRAM(encap);
FIELDS_DATAGRAM(dropped);
FIELDS_DATAGRAM(segs_lost);

#undef FIELDS_DATAGRAM

#endif
