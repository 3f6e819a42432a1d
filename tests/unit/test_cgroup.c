// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_cgroup.c - user/cgroup.c: the directories of cgroup v2, where that is
 * mounted.
 */
#include "test.h"

#include <sys/stat.h>

#include "cgroup.h"
#include "mounts.h"

static void bad(const char *path, const char *reason)
{
	char why[300] = "";
	uint64_t id = 7;

	if (cgroup_find(path, &id, why, sizeof(why)))
		fail_msg("'%s' is cgroup %llu", path, (unsigned long long)id);
	assert_contains(why, reason);
	assert_int_equal(id, 7);
}

static void expect_id(const char *path, uint64_t wanted)
{
	char why[300];
	uint64_t id = 0;

	if (!cgroup_find(path, &id, why, sizeof(why)))
		fail_msg("'%s': %s", path, why);
	assert_int_equal(id, wanted);
}

static void test_find(void **state)
{
	char mount[400], path[440];
	struct stat dir;

	(void)state;
	if (!mounts_find("cgroup2", mount, sizeof(mount))) {
		bad("/", "cgroup v2 is not mounted");
		print_message("skipped: no cgroup v2 here\n");
		skip();
	}
	assert_int_equal(stat(mount, &dir), 0);
	expect_id(mount, dir.st_ino);
	/* The one that systemd and /proc/PID/cgroup call so. */
	expect_id("/", dir.st_ino);
	bad("", "no such directory");
	bad("/no/such/place", "no such directory, here or below /");
	bad("no/such/place", mount);
	bad("/proc", "not in cgroup v2");
	bad("/proc/self/status", "Not a directory");
	bad("../../../../proc", "not in cgroup v2");
	snprintf(path, sizeof(path), "%s/cgroup.procs", mount);
	bad(path, "Not a directory");
	bad("cgroup.procs", "Not a directory");
}

/* As a service's: the same by its whole path and by the one below the mount. */
static void test_find_below(void **state)
{
	char mount[400] = "", path[440], name[40];
	bool found = mounts_find("cgroup2", mount, sizeof(mount));
	struct stat dir;

	(void)state;
	snprintf(name, sizeof(name), "/sdt-unit-%d", (int)getpid());
	snprintf(path, sizeof(path), "%s%s", mount, name);
	if (!found || mkdir(path, 0755)) {
		print_message(
			"skipped: no cgroup v2 here that can be written to\n");
		skip();
	}
	assert_int_equal(stat(path, &dir), 0);
	expect_id(path, dir.st_ino);
	expect_id(name, dir.st_ino);
	expect_id(name + 1, dir.st_ino);
	rmdir(path);
	bad(name, "no such directory");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_find),
	cmocka_unit_test(test_find_below),
};

RUN("cgroup", tests)
