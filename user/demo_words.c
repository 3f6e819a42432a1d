// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_words.c - what the demo says, and where.
 */
#include "demo_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

void demo_words_open(struct demo_words *words, const struct options *options,
		     struct sink *sinks)
{
	*words = (struct demo_words){ .silent = options->quiet };
	for (size_t i = 0; i < options->output_count; i++) {
		if (strcmp(options->outputs[i].path, "-"))
			continue;
		if (options->outputs[i].type == &sink_text)
			words->out = &sinks[i].out;
		return;
	}
	if (!words->silent && !out_open(&words->own, "-")) {
		words->is_own = true;
		words->out = &words->own;
	}
}

void demo_words_close(struct demo_words *words)
{
	if (words->is_own)
		out_close(&words->own);
	words->is_own = false;
}

void demo_say(struct demo_words *words, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	if (words->silent)
		return;
	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (words->out) {
		out_text(words->out, text);
		out_text(words->out, "\n");
		out_end(words->out);
		out_flush(words->out);
	} else {
		log_line("%s", text);
	}
	free(text);
}
