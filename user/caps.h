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

/* The capabilities in effect, a bit each (1ull << CAP_BPF). All, where that is
 * not known: let the kernel decide. */
unsigned long long caps_effective(void);

/* Is this process in a user namespace other than the first, where what it may
 * do counts for nothing that is the whole machine's, as BPF is? */
bool caps_are_of_namespace(void);

#endif
