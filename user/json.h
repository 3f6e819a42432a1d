/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - writes JSON as it goes, one object a line. Knows no stage.
 */
#ifndef JSON_H
#define JSON_H

#include "out.h"

/* Puts the comma, if one is needed, and "key": */
void json_key(struct out *out, const char *key, bool *first);
/* A string of any bytes: what is not UTF-8 becomes U+FFFD. */
void json_string(struct out *out, const char *bytes);

#endif
