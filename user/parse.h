/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - texts of the command line become numbers, here and nowhere else.
 * Belongs to options.c, which says what is wrong with one that does not.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* A whole number from @min to @max, and nothing else. */
bool parse_number(const char *text, uint64_t min, uint64_t max,
		  uint64_t *number);

/* "443", "80,443", "8000-8999": adds to the ports that are wanted. */
bool parse_ports(const char *list, struct demux_config *wanted);

/* "10", "0.5". */
bool parse_seconds(const char *text, uint64_t *ns);

/* "4096", "64K", "16M", rounded up to what the kernel takes. */
bool parse_ring_size(const char *text, size_t *size);

#define PARSE_WHY_MAX 200
/* ADDR[/LEN][:PORT] becomes the remote end that is wanted. False, with the
 * reason in @why, for what is no such text. */
bool parse_remote(const char *text, struct demux_config *wanted,
		  char why[PARSE_WHY_MAX]);

#endif
