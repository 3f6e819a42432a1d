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

/* kallsyms is not sorted everywhere: the end is the next higher address. */
static void find_ends(FILE *file, struct kernel_range *ranges, int count)
{
	char line[512];
	uint64_t address;

	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		if (strchr(line, '[') ||
		    sscanf(line, "%" SCNx64, &address) != 1)
			continue;
		for (int i = 0; i < count; i++)
			if (address > ranges[i].begin &&
			    (!ranges[i].end || address < ranges[i].end))
				ranges[i].end = address;
	}
}

int kernel_symbols_ranges(const char *const *names, int count,
			  struct kernel_range *ranges, int size)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	uint64_t address;
	int found = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 " %*c %255s", &address, symbol) !=
			    2 ||
		    !address)
			continue;
		for (int i = 0; i < count && found < size; i++)
			if (is_of(symbol, names[i]))
				ranges[found++] =
					(struct kernel_range){ address, 0 };
	}
	if (file) {
		find_ends(file, ranges, found);
		fclose(file);
	}
	return found;
}
