/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_colour.h - in which colour a terminal shows an event's first column.
 */
#ifndef TEXT_COLOUR_H
#define TEXT_COLOUR_H

#include "decode.h"

/* The escape sequence; never NULL. */
const char *text_colour(const struct event *event);

#endif
