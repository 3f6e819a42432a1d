/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_verdict.h - whether the demo showed what it should, by its own summary.
 */
#ifndef DEMO_VERDICT_H
#define DEMO_VERDICT_H

#include <stdbool.h>

#include "demo_words.h"
#include "proof.h"

/* Says what was seen. False, after a message, where it was something else. */
bool demo_verdict(struct demo_words *words, const struct summary *summary);

#endif
