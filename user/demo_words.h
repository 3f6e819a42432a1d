/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_words.h - what the demo says: beside the lines of a text sink on
 * standard output, in order with them; on stderr where data goes there.
 */
#ifndef DEMO_WORDS_H
#define DEMO_WORDS_H

#include <stdbool.h>

#include "options.h"

struct demo_words {
	struct out *out; /* NULL: stderr */
	struct out own; /* where no sink has standard output */
	bool is_own;
	bool silent; /* --quiet */
};

/* @sinks are those of @options, and are opened later: this must come before all
 * else, which could be taken for a standard output that is closed. */
void demo_words_open(struct demo_words *words, const struct options *options,
		     struct sink *sinks);
void demo_words_close(struct demo_words *words);

/* One line or several, without the last newline; written at once. */
void demo_say(struct demo_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
