/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * value.h - one value on its way from an event to a sink. Knows no stage.
 *
 * Each function fills @value and returns whether there is something to show.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "names.h"

enum value_kind {
	VALUE_NUMBER,
	VALUE_SIGNED,
	VALUE_BOOL, /* only ever true: false is left out */
	VALUE_NAME, /* of this program's own making: needs no escapes */
	VALUE_BYTES, /* from outside: any byte; the sink escapes it */
};

struct value {
	enum value_kind kind;
	uint64_t number;
	const char *text; /* NAME, BYTES; ends with a NUL */
	char buffer[72]; /* where text may be made */
};

static inline bool value_number(struct value *value, uint64_t number)
{
	value->kind = VALUE_NUMBER;
	value->number = number;
	return true;
}

static inline bool value_signed(struct value *value, int64_t number)
{
	value->kind = VALUE_SIGNED;
	value->number = number;
	return true;
}

static inline bool value_bool(struct value *value, bool is)
{
	value->kind = VALUE_BOOL;
	value->number = is;
	return is;
}

static inline bool value_name(struct value *value, const char *text)
{
	value->kind = VALUE_NAME;
	value->text = text;
	return text;
}

static inline bool value_addr(struct value *value, const uint8_t *addr,
			      int family)
{
	names_addr(value->buffer, addr, family);
	return value_name(value, value->buffer);
}

/* @text stays where it is; it ends with a NUL. */
static inline bool value_text(struct value *value, const char *text)
{
	value->kind = VALUE_BYTES;
	value->text = text;
	return *text;
}

/* @size bytes, up to 71, or fewer where a NUL comes first. */
static inline bool value_bytes(struct value *value, const char *from,
			       size_t size)
{
	size = strnlen(from, size);
	if (size >= sizeof(value->buffer))
		size = sizeof(value->buffer) - 1;
	memcpy(value->buffer, from, size);
	value->buffer[size] = '\0';
	value->kind = VALUE_BYTES;
	value->text = value->buffer;
	return size;
}

#endif
