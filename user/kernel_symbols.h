/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_symbols.h - where functions lie in the running kernel, by
 * /proc/kallsyms. Knows no stage.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* Finds the named functions and their parts that the compiler moved elsewhere
 * (NAME.cold). Returns how many ranges were filled, 0 where addresses are not
 * shown. */
int kernel_symbols_ranges(const char *const *names, int count,
			  struct demux_range *ranges, int size);

/* Where each of the named functions begins, 0 where that is not shown. */
void kernel_symbols_find(const char *const *names, int count, uint64_t *begins);

#endif
