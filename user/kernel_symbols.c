// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_symbols.c - where functions lie in the running kernel.
 */
#include "kernel_symbols.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of kallsyms: "ffffffff81e865a0 t tcp_v4_rcv.cold\t[a_module]". */
struct symbol {
	uint64_t address;
	const char *name, *module; /* "" for the kernel itself */
	char line[512];
};

/* There are 200,000 lines, and scanf() would take longer than all else. */
static bool next_symbol(FILE *file, struct symbol *symbol)
{
	while (fgets(symbol->line, sizeof(symbol->line), file)) {
		char *end;

		symbol->address = strtoull(symbol->line, &end, 16);
		if (!symbol->address || strlen(end) < 4)
			continue;
		symbol->name = end + 3;
		end += 3 + strcspn(end + 3, "\t\n");
		symbol->module = end + (*end == '\t');
		*end = '\0';
		return true;
	}
	return false;
}

/* "tcp_v4_rcv" and "tcp_v4_rcv.cold", not "tcp_v4_rcv_foo". */
static bool is_of(const char *symbol, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(symbol, name, len) &&
	       (!symbol[len] || symbol[len] == '.');
}

struct found {
	struct demux_range *range;
	char module[80];
};

/* The end is the next higher address of the same module. */
static void find_end(const struct found *found, const struct symbol *symbol)
{
	struct demux_range *range = found->range;

	if (symbol->address > range->begin &&
	    (!range->end || symbol->address < range->end) &&
	    !strcmp(symbol->module, found->module))
		range->end = symbol->address;
}

/* A module's symbols are not sorted: the end may stand before the begin. */
static void find_ends(FILE *file, const struct found *found, int count)
{
	struct symbol symbol;

	rewind(file);
	while (next_symbol(file, &symbol)) {
		for (int i = 0; i < count; i++)
			find_end(&found[i], &symbol);
	}
}

#define FOUND_MAX 16

int kernel_symbols_ranges(const char *const *names, int count,
			  struct demux_range *ranges, int size)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct found found[FOUND_MAX];
	bool is_in_module = false;
	struct symbol symbol;
	int n = 0;

	size = size < FOUND_MAX ? size : FOUND_MAX;
	while (file && next_symbol(file, &symbol)) {
		for (int i = 0; i < n; i++)
			find_end(&found[i], &symbol);
		for (int i = 0; i < count && n < size; i++) {
			if (!is_of(symbol.name, names[i]))
				continue;
			ranges[n] = (struct demux_range){ symbol.address, 0 };
			found[n].range = &ranges[n];
			snprintf(found[n].module, sizeof(found[n].module), "%s",
				 symbol.module);
			is_in_module |= *symbol.module != '\0';
			n++;
		}
	}
	if (is_in_module)
		find_ends(file, found, n);
	if (file)
		fclose(file);
	return n;
}

void kernel_symbols_find(const char *const *names, int count, uint64_t *begins)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct symbol symbol;
	int left = count;

	memset(begins, 0, count * sizeof(*begins));
	while (file && left && next_symbol(file, &symbol)) {
		for (int i = 0; i < count; i++) {
			if (begins[i] || strcmp(symbol.name, names[i]))
				continue;
			begins[i] = symbol.address;
			left--;
		}
	}
	if (file)
		fclose(file);
}
