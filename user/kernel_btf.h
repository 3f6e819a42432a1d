/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_btf.h - asks the running kernel's BTF what it is like: never its
 * version, since stable trees backport. Knows no stage.
 */
#ifndef KERNEL_BTF_H
#define KERNEL_BTF_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

/* How many arguments that function takes; -ENOENT where BTF has none. */
int kernel_btf_func_args(const struct btf *btf, const char *func);

/* The same for a tracepoint, without the context that all have. */
int kernel_btf_tracepoint_args(const struct btf *btf, const char *name);

bool kernel_btf_has_struct(const struct btf *btf, const char *name);

/* The value of an enumerator; false where the kernel has none of that name. */
bool kernel_btf_enum(const struct btf *btf, const char *type, const char *name,
		     uint32_t *value);

/* Puts copies of the names of an enum's values, without @prefix, at their
 * numbers, as far as these are below @max. False where memory ran out. */
bool kernel_btf_names(const struct btf *btf, const char *type,
		      const char *prefix, char **names, uint32_t max);

#endif
