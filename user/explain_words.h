/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain_words.h - what the files that explain share: a text that grows, and
 * the names of what it speaks of. Last stage.
 */
#ifndef EXPLAIN_WORDS_H
#define EXPLAIN_WORDS_H

#include "explain.h"

struct words {
	char *to, *end; /* what does not fit is left out */
};

/* Appends to the text. */
void say(struct words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define EXPLAIN_NAME_MAX 128
/* "#7", or words for a socket that has no number here. */
const char *explain_sock(char to[EXPLAIN_NAME_MAX],
			 const struct model_sock *sock);
/* "10.0.0.1:80" or "[::1]:80" */
const char *explain_end(char to[EXPLAIN_NAME_MAX], const unsigned char *addr,
			int family, unsigned int port);
/* The field's text, NULL where it is unknown. */
const char *explain_field(char to[EXPLAIN_NAME_MAX], const char *key,
			  const struct event *event);

/* @what came with the segment, or the datagram. */
void explain_assigned(struct words *words, const struct event *event,
		      const char *what);
/* @what was found by the segment's two ends. */
void explain_found(struct words *words, const struct event *event,
		   const char *what);
/* Nothing was, and so the listeners were looked at. */
void explain_not_found(struct words *words, const struct event *event);
/* Which of a reuseport group, and by what. */
void explain_group(struct words *words, const struct event *event);
/* What of that, of enum demux_predicted, was not seen. */
void explain_predicted(struct words *words, unsigned int predicted);
/* All of a datagram of UDP. */
void explain_datagram(struct words *words, const struct event *event);

#endif
