// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_btf.c - asks the running kernel's BTF what it is like.
 */
#include "kernel_btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int kernel_btf_func_args(const struct btf *btf, const char *func)
{
	int id = btf__find_by_name_kind(btf, func, BTF_KIND_FUNC);

	if (id < 0)
		return -ENOENT;
	id = btf__type_by_id(btf, id)->type;
	return btf_vlen(btf__type_by_id(btf, id));
}

int kernel_btf_tracepoint_args(const struct btf *btf, const char *name)
{
	const struct btf_type *type;
	char typedef_name[128];
	int id;

	snprintf(typedef_name, sizeof(typedef_name), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, typedef_name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -ENOENT;
	type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!btf_is_ptr(type))
		return -ENOENT;
	return btf_vlen(btf__type_by_id(btf, type->type)) - 1;
}

bool kernel_btf_has_struct(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) >= 0;
}

bool kernel_btf_enum(const struct btf *btf, const char *type, const char *name,
		     uint32_t *value)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *found;

	if (id < 0)
		return false;
	found = btf__type_by_id(btf, id);
	for (int i = 0; i < btf_vlen(found); i++) {
		const struct btf_enum *one = &btf_enum(found)[i];

		if (strcmp(btf__name_by_offset(btf, one->name_off), name))
			continue;
		*value = one->val;
		return true;
	}
	return false;
}

bool kernel_btf_names(const struct btf *btf, const char *type,
		      const char *prefix, char **names, uint32_t max)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *found = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; found && i < btf_vlen(found); i++) {
		const struct btf_enum *one = &btf_enum(found)[i];
		const char *name = btf__name_by_offset(btf, one->name_off);
		uint32_t value = one->val;

		if (strncmp(name, prefix, strlen(prefix)) || value >= max ||
		    names[value])
			continue;
		names[value] = strdup(name + strlen(prefix));
		if (!names[value])
			return false;
	}
	return true;
}
