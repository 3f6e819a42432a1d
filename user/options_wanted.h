/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options_wanted.h - the part of the command line that says what is traced, and
 * what goes together with it. Belongs to options.c.
 */
#ifndef OPTIONS_WANTED_H
#define OPTIONS_WANTED_H

#include <argp.h>

#include "options.h"

/* Its options and their parser, whose input is a struct options. */
extern const struct argp options_wanted_argp;

/* When all options are there: fills in what follows from others, and refuses
 * what does not go together. */
void options_wanted_check(struct argp_state *state, struct options *options);

/* Ends the program as argp_error() does; bytes of the message that are not
 * printable are escaped. */
void options_wrong(struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For an option that has one value, where two would not mean both. */
void options_refuse_second(struct argp_state *state, const char *option,
			   bool is_second);

#endif
