// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields_why.c - the columns that tell why it was this socket: what --detail
 * found in the kernel's lookup tables.
 */
#include "fields_why.h"

#define GETTER(name) \
	bool fields_why_##name(const struct event *event, struct value *value)

#define WHY_NUMBER(name, bit)                                              \
	GETTER(name)                                                       \
	{                                                                  \
		return event->with_why && event->with_why->have & (bit) && \
		       value_number(value, event->with_why->name);         \
	}

/* --- the established hash ---------------------------------------------------- */

WHY_NUMBER(hash_slots, DEMUX_WHY_SLOT)
WHY_NUMBER(hash_slot, DEMUX_WHY_SLOT)
WHY_NUMBER(chain_position, DEMUX_WHY_POSITION)
WHY_NUMBER(chain_length, DEMUX_WHY_CHAIN)
