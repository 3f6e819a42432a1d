/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_summary.h - what a trace came to, in words: the text sink's last lines.
 */
#ifndef TEXT_SUMMARY_H
#define TEXT_SUMMARY_H

#include "out.h"
#include "proof.h"

void text_summary(struct out *out, const struct summary *summary);

#endif
