/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend_misses.h - how often the kernel did not run a program, because one of
 * its kind ran on that CPU already. backend.h has the function that asks.
 */
#ifndef BACKEND_MISSES_H
#define BACKEND_MISSES_H

#include "backend.h"

/* Prepares for backend_misses(), which has no privileges any more: called once all
 * hooks are there. */
void backend_misses_open(struct backend_trace *trace);

#endif
