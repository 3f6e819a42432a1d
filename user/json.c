// SPDX-License-Identifier: GPL-2.0-only
/*
 * json.c - writes JSON as it goes. Knows no stage.
 */
#include "json.h"

#include <stdio.h>
#include <string.h>

void json_key(struct out *out, const char *key, bool *first)
{
	out_bytes(out, ",\"" + *first, 2 - *first);
	*first = false;
	out_text(out, key);
	out_bytes(out, "\":", 2);
}

/* The length of the UTF-8 sequence at @s, 0 where there is none. */
static size_t utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		unsigned int least; /* shorter forms would do below it */
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t more = 0; more < 4; more++) {
		unsigned int code = s[0] & ~forms[more].mask & 0xff;

		if ((s[0] & forms[more].mask) != forms[more].lead)
			continue;
		for (size_t i = 1; i <= more; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[i] & 0x3f);
		}
		if (code < forms[more].least || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000))
			return 0;
		return more + 1;
	}
	return 0;
}

void json_string(struct out *out, const char *bytes)
{
	const unsigned char *s = (const unsigned char *)bytes;
	char escaped[8];

	out_bytes(out, "\"", 1);
	while (*s) {
		size_t len = utf8_len(s);

		if (!len) {
			out_text(out, "\\ufffd");
			len = 1;
		} else if (*s == '"' || *s == '\\') {
			out_bytes(out, "\\", 1);
			out_bytes(out, s, 1);
		} else if (len == 2 && *s == 0xc2 && s[1] < 0xa0) {
			snprintf(escaped, sizeof(escaped), "\\u%04x", s[1]);
			out_text(out, escaped);
		} else if (*s < 0x20 || *s == 0x7f) {
			snprintf(escaped, sizeof(escaped), "\\u%04x", *s);
			out_text(out, escaped);
		} else {
			out_bytes(out, s, len);
		}
		s += len;
	}
	out_bytes(out, "\"", 1);
}
