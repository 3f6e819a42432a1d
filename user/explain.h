/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain.h - why it was this socket, in short plain sentences. A part of the
 * text sink. Last stage.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "decode.h"

#define EXPLAIN_MAX 4096

/*
 * What is known of a segment's or datagram's way to its socket, as sentences in
 * one line of printable ASCII; of what is not known it says nothing. @absolute:
 * sequence numbers as in the header.
 */
void explain(char to[EXPLAIN_MAX], const struct event *event, bool absolute);

/* The length of the piece of @text that fits into @width columns: it ends where
 * a space is or the text does. Spaces before it are the caller's to skip. */
size_t explain_line(const char *text, size_t width);

#endif
