// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_symbols.c - where functions lie in the running kernel.
 */
#include "kernel_symbols.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* "tcp_v4_rcv" and "tcp_v4_rcv.cold", not "tcp_v4_rcv_foo". */
static bool is_of(const char *symbol, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(symbol, name, len) &&
	       (!symbol[len] || symbol[len] == '.');
}

/* "[ipv6]", "" for the kernel itself. */
static const char *module_of(const char *line)
{
	const char *module = strchr(line, '[');

	return module ? module : "";
}

struct found {
	struct kernel_range *range;
	char module[80];
};

/* kallsyms is not sorted everywhere: the end is the next higher address of the
 * same module. */
static void find_ends(FILE *file, struct found *found, int count)
{
	char line[512];
	uint64_t address;

	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64, &address) != 1)
			continue;
		for (int i = 0; i < count; i++) {
			struct kernel_range *range = found[i].range;

			if (address > range->begin &&
			    (!range->end || address < range->end) &&
			    !strcmp(module_of(line), found[i].module))
				range->end = address;
		}
	}
}

#define FOUND_MAX 8

int kernel_symbols_ranges(const char *const *names, int count,
			  struct kernel_range *ranges, int size)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct found found[FOUND_MAX];
	char line[512], symbol[256];
	uint64_t address;
	int n = 0;

	size = size < FOUND_MAX ? size : FOUND_MAX;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 " %*c %255s", &address, symbol) !=
			    2 ||
		    !address)
			continue;
		for (int i = 0; i < count && n < size; i++) {
			if (!is_of(symbol, names[i]))
				continue;
			ranges[n] = (struct kernel_range){ address, 0 };
			found[n].range = &ranges[n];
			snprintf(found[n].module, sizeof(found[n].module), "%s",
				 module_of(line));
			n++;
		}
	}
	if (file) {
		find_ends(file, found, n);
		fclose(file);
	}
	return n;
}
