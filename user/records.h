/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * records.h - a growing array of struct demux_accept, for the parts of the
 * snapshot to fill. Stage of the sources.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stddef.h>

#include "event.h"

struct records {
	struct demux_accept *all;
	size_t count;
	size_t room; /* allocated */
};

/* Makes room for @more behind those that are there. 0 or -ENOMEM. */
int records_reserve(struct records *records, size_t more);
/* Appends a copy of @record. 0 or -ENOMEM. */
int records_add(struct records *records, const struct demux_accept *record);
void records_free(struct records *records);

#endif
