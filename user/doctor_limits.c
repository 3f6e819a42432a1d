// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_limits.c - how much memory BPF may have here, and how much of the
 * kernel is shown: limits that somebody set. For doctor_checks.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps.h"
#include "doctor_looks.h"
#include "options.h"

/* --- memory -------------------------------------------------------------------- */

static void put_size(char *to, size_t size, unsigned long long bytes)
{
	if (bytes == RLIM_INFINITY)
		snprintf(to, size, "unlimited");
	else if (bytes < 1 << 20)
		snprintf(to, size, "%llu KiB", bytes >> 10);
	else
		snprintf(to, size, "%llu MiB", bytes >> 20);
}

enum doctor_state doctor_limits_of_memlock(struct doctor_check *check,
					   unsigned long long limit, int counts,
					   bool can_raise)
{
	put_size(check->value, sizeof(check->value), limit);
	if (counts < 0) {
		check->meaning = "whether it matters cannot be tried: BPF is "
				 "refused for another reason";
		return DOCTOR_UNKNOWN;
	}
	if (!counts) {
		check->meaning = "it does not matter: in this kernel BPF does "
				 "not count as locked memory";
		return DOCTOR_GOOD;
	}
	if (!can_raise && limit < 2 * OPTIONS_RING_SIZE)
		return DOCTOR_BAD;
	check->meaning = "it matters, and is high enough or is raised by the "
			 "tool itself";
	return DOCTOR_GOOD;
}

/* Past libbpf, which would raise the limit. 0 or -errno. */
static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Since 5.11 BPF is accounted to the cgroup instead. A limit of nothing tells;
 * it may be raised again to where it was. -1: cannot be tried. */
static int memlock_counts(const struct rlimit *limit)
{
	const struct rlimit nothing = { 0, limit->rlim_max };
	int err = make_map();

	if (err == -EPERM && !limit->rlim_cur)
		return 1;
	if (err || setrlimit(RLIMIT_MEMLOCK, &nothing))
		return -1;
	err = make_map();
	setrlimit(RLIMIT_MEMLOCK, limit);
	return err == -EPERM;
}

enum doctor_state doctor_limits_memlock(struct doctor_check *check)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return DOCTOR_UNKNOWN;
	return doctor_limits_of_memlock(
		check, limit.rlim_cur, memlock_counts(&limit),
		limit.rlim_max == RLIM_INFINITY ||
			caps_effective() & 1ull << CAP_SYS_RESOURCE);
}

enum doctor_state doctor_limits_ring(struct doctor_check *check)
{
	size_t page = sysconf(_SC_PAGESIZE), size = OPTIONS_RING_SIZE;
	int fd, err = 0;

	for (; size >= page; size /= 2) {
		fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, size,
				    NULL);
		if (fd >= 0)
			break;
		err = -errno;
	}
	if (size < page && err == -EPERM) {
		check->meaning = "cannot be tried: BPF is refused for another "
				 "reason";
		return DOCTOR_UNKNOWN;
	}
	if (size < page) {
		snprintf(check->value, sizeof(check->value), "refused: %s",
			 doctor_error(err));
		return DOCTOR_BAD;
	}
	close(fd);
	put_size(check->value, sizeof(check->value), size);
	if (size == OPTIONS_RING_SIZE)
		return DOCTOR_GOOD;
	strcat(check->value, " at most");
	if (err == -EPERM)
		check->help = "see memlock";
	return DOCTOR_LESS;
}

/* --- where functions lie --------------------------------------------------------- */

/* Where they are hidden all are 0; where not, a few are even so. */
static bool symbols_shown(void)
{
	static int shown = -1; /* not looked at */
	FILE *file;
	char line[512];

	if (shown >= 0)
		return shown;
	shown = 0;
	file = fopen("/proc/kallsyms", "re");
	while (file && !shown && fgets(line, sizeof(line), file))
		shown = strtoull(line, NULL, 16) != 0;
	if (file)
		fclose(file);
	return shown;
}

enum doctor_state doctor_limits_of_kptr(struct doctor_check *check, int value,
					bool shown, bool syslog)
{
	if (shown) {
		check->meaning = "not in the way";
		return DOCTOR_GOOD;
	}
	if (value > 1) {
		check->meaning = "it hides addresses from everybody";
		check->help = "sysctl kernel.kptr_restrict=1";
		return DOCTOR_BAD;
	}
	if (!syslog) {
		check->meaning = "addresses are shown to who has CAP_SYSLOG, "
				 "which this process lacks";
		check->help = "run it as root, as with sudo, or add CAP_SYSLOG";
		return DOCTOR_BAD;
	}
	check->meaning = "not what hides them";
	return DOCTOR_GOOD;
}

enum doctor_state doctor_limits_kptr(struct doctor_check *check)
{
	if (doctor_facts_read("/proc/sys/kernel/kptr_restrict", check->value,
			      sizeof(check->value))) {
		check->value[0] = '\0';
		check->meaning = "it cannot be read";
		return DOCTOR_UNKNOWN;
	}
	return doctor_limits_of_kptr(check, atoi(check->value), symbols_shown(),
				     caps_effective() & 1ull << CAP_SYSLOG);
}

enum doctor_state doctor_limits_symbols(struct doctor_check *check)
{
	struct doctor_check restrict_check = { 0 };

	if (symbols_shown()) {
		strcpy(check->value, "shows where functions lie");
		return DOCTOR_GOOD;
	}
	strcpy(check->value, access("/proc/kallsyms", R_OK) ?
				     "cannot be read" :
				     "hides where functions lie");
	doctor_limits_kptr(&restrict_check);
	check->help = restrict_check.help;
	return DOCTOR_BAD;
}

bool doctor_limits_needs_syslog(void)
{
	char value[16];

	return !symbols_shown() && !(caps_effective() & 1ull << CAP_SYSLOG) &&
	       !doctor_facts_read("/proc/sys/kernel/kptr_restrict", value,
				  sizeof(value)) &&
	       atoi(value) < 2;
}
