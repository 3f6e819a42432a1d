// SPDX-License-Identifier: GPL-2.0-only
/*
 * recording.c - the head of a trace that begins now. Before the first stage.
 */
#include "recording.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "clock.h"

void recording_begin(struct recording_head *head)
{
	struct utsname kernel;

	*head = (struct recording_head){
		.order = RECORDING_ORDER,
		.abi = DEMUX_ABI,
		.len = sizeof(*head),
		.clock_offset_ns = clock_offset_ns(),
	};
	memcpy(head->magic, RECORDING_MAGIC, sizeof(head->magic));
	if (!uname(&kernel))
		snprintf(head->kernel, sizeof(head->kernel), "%.63s",
			 kernel.release);
}
