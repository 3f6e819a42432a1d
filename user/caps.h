/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * caps.h - what this process may do. Knows no stage.
 */
#ifndef CAPS_H
#define CAPS_H

#include <stdbool.h>
#include <stddef.h>

/* Lacks it what loading tracing programs needs? Names it in @names:
 * "CAP_BPF and CAP_PERFMON". */
bool caps_missing(char *names, size_t size);

#endif
