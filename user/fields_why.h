/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fields_why.h - the columns that tell why it was this socket, for the table in
 * fields.c.
 */
#ifndef FIELDS_WHY_H
#define FIELDS_WHY_H

#include "fields.h"

/* Each as struct field wants it. */
#define FIELDS_WHY(name) \
	bool fields_why_##name(const struct event *event, struct value *value)

FIELDS_WHY(hash_slots);
FIELDS_WHY(hash_slot);
FIELDS_WHY(chain_position);
FIELDS_WHY(chain_length);
FIELDS_WHY(candidates);
FIELDS_WHY(candidate_list);
FIELDS_WHY(won_by);
FIELDS_WHY(options);
FIELDS_WHY(group_hash);

/* Of datagrams too. */
FIELDS_WHY(group_size);
FIELDS_WHY(group_index);
FIELDS_WHY(group_by);

#undef FIELDS_WHY

#endif
