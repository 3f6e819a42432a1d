/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_detail.h - the end of a segment's line, where more is asked for, and what
 * explains it below. Last stage.
 */
#ifndef TEXT_DETAIL_H
#define TEXT_DETAIL_H

#include <stdbool.h>

#include "decode.h"
#include "out.h"

/* " seq 1 ack 14 win 502"; @absolute: as in the header. */
void text_detail_numbers(struct out *out, const struct event *event,
			 bool absolute);
/* Where it stood and what won, in few words: " slot 3819/8192 pos 0/1". */
void text_detail_why(struct out *out, const struct event *event);
/* The sentences of explain.h, in lines of at most 100 columns. */
void text_detail_explain(struct out *out, const struct event *event,
			 bool absolute);

#endif
