// SPDX-License-Identifier: GPL-2.0-only
/*
 * caps.c - what this process may do. Knows no stage.
 */
#include "caps.h"

#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>

unsigned long long caps_effective(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long caps = ~0ull; /* unknown: let the kernel decide */
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (status)
		fclose(status);
	return caps;
}

bool caps_are_of_namespace(void)
{
	struct stat own;

	/* The first one's number never changes: include/linux/proc_ns.h. */
	return !stat("/proc/self/ns/user", &own) && own.st_ino != 0xEFFFFFFD;
}

bool caps_missing(char *names, size_t size)
{
	unsigned long long caps = caps_effective();
	bool bpf = caps & 1ull << CAP_BPF, perfmon = caps & 1ull << CAP_PERFMON;

	if (caps_are_of_namespace()) {
		snprintf(names, size, "%s",
			 "CAP_BPF and CAP_PERFMON outside of its user "
			 "namespace");
		return true;
	}
	if (caps & 1ull << CAP_SYS_ADMIN)
		return false;
	snprintf(names, size, "%s%s%s", bpf ? "" : "CAP_BPF",
		 bpf || perfmon ? "" : " and ", perfmon ? "" : "CAP_PERFMON");
	return !bpf || !perfmon;
}
