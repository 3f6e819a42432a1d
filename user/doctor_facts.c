// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_facts.c - facts about this machine that are read from its files. For
 * doctor_checks.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "caps.h"
#include "doctor_looks.h"
#include "mounts.h"

/* Adds @text to the list @to, "a, b". */
static void add(char *to, size_t size, const char *text)
{
	size_t used = strlen(to);

	snprintf(to + used, size - used, "%s%s", used ? ", " : "", text);
}

static int read_line(int dir, const char *path, char *line, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, line, size - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int doctor_facts_read(const char *path, char *line, size_t size)
{
	return read_line(AT_FDCWD, path, line, size);
}

/* --- the machine ------------------------------------------------------------- */

enum doctor_state doctor_facts_kernel(struct doctor_check *check)
{
	struct utsname kernel;

	if (uname(&kernel))
		return DOCTOR_UNKNOWN;
	snprintf(check->value, sizeof(check->value), "%s %s, %s%s",
		 kernel.sysname, kernel.release, kernel.machine,
		 strstr(kernel.version, "PREEMPT_RT") ? ", PREEMPT_RT" : "");
	return strcmp(kernel.machine, "x86_64") ? DOCTOR_LESS : DOCTOR_GOOD;
}

void doctor_facts_signs(const char *root, char *signs, size_t size)
{
	static const struct {
		const char *path, *name;
	} files[] = {
		{ "/.dockerenv", "docker (/.dockerenv)" },
		{ "/run/.containerenv", "podman (/run/.containerenv)" },
	};
	char path[300], line[64], sign[100];

	*signs = '\0';
	snprintf(path, sizeof(path), "%s/run/systemd/container", root);
	if (!doctor_facts_read(path, line, sizeof(line)) && *line) {
		snprintf(sign, sizeof(sign), "%s (/run/systemd/container)",
			 line);
		add(signs, size, sign);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, files[i].path);
		if (!access(path, F_OK))
			add(signs, size, files[i].name);
	}
}

/* The kernel gives its first namespaces fixed inode numbers; there is none for
 * those of mounts and networks. */
static bool is_namespace_own(const char *path, unsigned int initial)
{
	struct stat stat_of;

	return !stat(path, &stat_of) && stat_of.st_ino != initial;
}

enum doctor_state doctor_facts_container(struct doctor_check *check)
{
	static const struct {
		const char *path;
		unsigned int initial;
		const char *name;
	} namespaces[] = {
		{ "/proc/self/ns/user", 0xEFFFFFFD, "own user namespace" },
		{ "/proc/self/ns/pid", 0xEFFFFFFC, "own pid namespace" },
		{ "/proc/self/ns/cgroup", 0xEFFFFFFB, "own cgroup namespace" },
	};
	bool own_pids = is_namespace_own("/proc/self/ns/pid", 0xEFFFFFFC);
	size_t signs, size = sizeof(check->value);

	doctor_facts_signs("", check->value, size);
	if (access("/proc/self/ns", F_OK)) {
		check->meaning = "/proc, which tells of namespaces, is not "
				 "mounted";
		return DOCTOR_UNKNOWN;
	}
	signs = strlen(check->value);
	for (int i = 0; i < 3; i++)
		if (is_namespace_own(namespaces[i].path, namespaces[i].initial))
			add(check->value, size, namespaces[i].name);
	if (!check->value[0])
		strcpy(check->value, "no sign of one");
	else if (strlen(check->value) == signs)
		add(check->value, size, "but in the host's namespaces");
	if (!own_pids)
		return DOCTOR_GOOD;
	check->meaning =
		"process ids, as of -p and in the output, are those of "
		"the host, not those seen in here";
	return DOCTOR_LESS;
}

/* --- what this process may do -------------------------------------------------- */

enum need {
	BY_ALL,
	BY_STABLE,
	BY_STABLE_FOR_SYMBOLS, /* which it may be shown even so */
	BY_NONE,
};

static const struct {
	int number;
	const char *name;
	enum need need;
} caps[] = {
	{ CAP_BPF, "CAP_BPF", BY_ALL },
	{ CAP_PERFMON, "CAP_PERFMON", BY_ALL },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", BY_STABLE },
	{ CAP_SYSLOG, "CAP_SYSLOG", BY_STABLE_FOR_SYMBOLS },
	{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", BY_NONE },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", BY_NONE },
};

static enum doctor_state lacks(struct doctor_check *check, const char *all,
			       const char *stable)
{
	snprintf(check->words, sizeof(check->words),
		 *all && *stable ? "this process lacks %s, and for backend "
				   "stable also %s" :
				   "this process lacks %s%s",
		 all, stable);
	check->of = *all ? NULL : &backend_stable;
	check->meaning = check->words;
	check->help = "run it as root, as with sudo, or give it these "
		      "capabilities";
	return DOCTOR_BAD;
}

enum doctor_state doctor_facts_of_privileges(struct doctor_check *check,
					     unsigned long long held,
					     bool in_namespace, bool hidden)
{
	/* It stands in for all that BPF asks for. */
	bool admin = held & 1ull << CAP_SYS_ADMIN;
	char all[64] = "", stable[64] = "";

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		enum need need = caps[i].need;

		if (held & 1ull << caps[i].number)
			add(check->value, sizeof(check->value), caps[i].name);
		else if (need == BY_ALL && !admin)
			add(all, sizeof(all), caps[i].name);
		else if ((need == BY_STABLE && !admin) ||
			 (need == BY_STABLE_FOR_SYMBOLS && hidden))
			add(stable, sizeof(stable), caps[i].name);
	}
	if (!check->value[0])
		strcpy(check->value, "none of those that matter");
	if (!in_namespace)
		return *all || *stable ? lacks(check, all, stable) :
					 DOCTOR_GOOD;
	add(check->value, sizeof(check->value),
	    "but inside a user namespace only");
	check->meaning = "this process is in a user namespace of its own "
			 "(rootless container, unshare -U), and what it may do "
			 "in there does not count for BPF";
	check->help = "run it as root of the machine itself, outside of that "
		      "namespace";
	return DOCTOR_BAD;
}

enum doctor_state doctor_facts_privileges(struct doctor_check *check)
{
	if (access("/proc/self/status", R_OK)) {
		check->meaning = "/proc/self/status cannot be read";
		return DOCTOR_UNKNOWN;
	}
	return doctor_facts_of_privileges(check, caps_effective(),
					  caps_are_of_namespace(),
					  doctor_limits_needs_syslog());
}

enum doctor_state doctor_facts_unprivileged(struct doctor_check *check)
{
	static const char *const meanings[] = {
		"any user may load a few kinds of BPF program, none of those "
		"used here",
		"only privileged users may use BPF, until the next boot",
		"only privileged users may use BPF",
	};

	if (doctor_facts_read("/proc/sys/kernel/unprivileged_bpf_disabled",
			      check->value, sizeof(check->value))) {
		check->value[0] = '\0';
		check->meaning = "it cannot be read; it would not matter, as "
				 "the tool needs privileges anyway";
		return DOCTOR_UNKNOWN;
	}
	for (int i = 0; i < 3; i++)
		if (check->value[0] == '0' + i && !check->value[1])
			check->meaning = meanings[i];
	return DOCTOR_GOOD;
}

/* --- lockdown ------------------------------------------------------------------ */

/* "none [integrity] confidentiality" */
enum doctor_state doctor_facts_of_lockdown(struct doctor_check *check,
					   const char *text)
{
	const char *begin = strchr(text, '[');
	size_t len = begin ? strcspn(begin + 1, "]") : 0;

	if (!len) {
		check->meaning = "its file in securityfs cannot be understood";
		return DOCTOR_UNKNOWN;
	}
	snprintf(check->value, sizeof(check->value), "%.*s", (int)len,
		 begin + 1);
	if (!strcmp(check->value, "confidentiality"))
		return DOCTOR_BAD;
	if (!strcmp(check->value, "integrity"))
		check->meaning = "as published, the kernel forbids no tracing "
				 "at this level";
	return DOCTOR_GOOD;
}

/* Where securityfs is not mounted. */
static int read_unmounted(char *line, size_t size)
{
	int dir = mounts_open_own("securityfs"), err;

	if (dir < 0)
		return dir;
	err = read_line(dir, "lockdown", line, size);
	close(dir);
	return err;
}

enum doctor_state doctor_facts_lockdown(struct doctor_check *check)
{
	char line[128], path[256];
	bool mounted = mounts_find("securityfs", path, sizeof(path));
	int err = doctor_facts_read("/sys/kernel/security/lockdown", line,
				    sizeof(line));

	if (err == -ENOENT && !mounted) {
		err = read_unmounted(line, sizeof(line));
		mounted = !err || err == -ENOENT;
	}
	if (err == -ENOENT && mounted) {
		strcpy(check->value, "none");
		check->meaning = "this kernel has no lockdown";
		return DOCTOR_GOOD;
	}
	if (err) {
		check->meaning = "/sys/kernel/security/lockdown cannot be read";
		check->help = "run it as root, or mount securityfs there";
		return DOCTOR_UNKNOWN;
	}
	return doctor_facts_of_lockdown(check, line);
}

/* --- cgroup v2 ----------------------------------------------------------------- */

enum doctor_state doctor_facts_cgroup(struct doctor_check *check)
{
	struct stat stat_of;
	char path[200];

	if (!mounts_find("cgroup2", path, sizeof(path))) {
		strcpy(check->value, "not mounted");
		check->meaning =
			"the hook on incoming segments is attached to "
			"the root of the cgroup v2 hierarchy, and that "
			"is mounted nowhere here";
		check->help =
			"mount it, anywhere: mkdir /run/cgroup2; mount -t "
			"cgroup2 cgroup2 /run/cgroup2";
		return DOCTOR_BAD;
	}
	if (stat(path, &stat_of)) {
		snprintf(check->value, sizeof(check->value),
			 "%s, which cannot be looked at: %s", path,
			 strerror(errno));
		check->meaning =
			"the hook on incoming segments is attached there";
		return DOCTOR_BAD;
	}
	snprintf(check->value, sizeof(check->value), "%s, %s", path,
		 stat_of.st_ino == 1 ? "the whole hierarchy" :
				       "only a part of the hierarchy");
	if (stat_of.st_ino == 1)
		return DOCTOR_GOOD;
	check->meaning =
		"sockets outside of that part are not seen, so nothing "
		"can be proved";
	check->help = "run it outside of the container, or where the host's "
		      "hierarchy is mounted";
	return DOCTOR_LESS;
}
