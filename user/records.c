// SPDX-License-Identifier: GPL-2.0-only
/*
 * records.c - a growing array of struct demux_accept. Stage of the sources.
 */
#include "records.h"

#include <errno.h>
#include <stdlib.h>

int records_reserve(struct records *records, size_t more)
{
	size_t room = records->room ? records->room : 256;
	struct demux_accept *all;

	while (room - records->count < more)
		room *= 2;
	if (room == records->room)
		return 0;
	all = reallocarray(records->all, room, sizeof(*all));
	if (!all)
		return -ENOMEM;
	records->all = all;
	records->room = room;
	return 0;
}

int records_add(struct records *records, const struct demux_accept *record)
{
	int err = records_reserve(records, 1);

	if (!err)
		records->all[records->count++] = *record;
	return err;
}

void records_free(struct records *records)
{
	free(records->all);
	*records = (struct records){ 0 };
}
