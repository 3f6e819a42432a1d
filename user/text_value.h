/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_value.h - one field of an event as people read it, for the sinks that
 * write text. Last stage.
 */
#ifndef TEXT_VALUE_H
#define TEXT_VALUE_H

#include "fields.h"

/* Of one field; of an address, a port and what joins them. */
#define TEXT_VALUE_MAX 160
#define TEXT_CELL_MAX  (2 * TEXT_VALUE_MAX)

/* Puts the field's text, of fewer than TEXT_VALUE_MAX bytes, at @to. Returns its
 * end, or NULL where it is unknown. */
char *text_value(char *to, const struct field *field,
		 const struct event *event);
/* The same, with a word for what is unknown. */
char *text_value_or(char *to, const struct field *field,
		    const struct event *event, const char *unknown);
/* One end, "10.0.0.1:80" or "[::1]:80", of a socket that is bound to a device
 * "10.0.0.1%2:80", in fewer than TEXT_CELL_MAX bytes; or
 * "*:*" for the remote end of a socket that has none. Returns its end. */
char *text_ends(char *to, const struct field *addr, const struct field *port,
		const struct event *event);

#endif
