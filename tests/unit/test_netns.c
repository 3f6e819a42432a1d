// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_netns.c - user/netns.c, with the namespace that this program is in. The
 * names of `ip netns` need root: tests/live has these.
 */
#include "test.h"

#include <sys/stat.h>

#include "netns.h"

static uint32_t own_inode(void)
{
	struct stat file;

	assert_int_equal(stat("/proc/self/ns/net", &file), 0);
	return file.st_ino;
}

static uint32_t good(const char *text)
{
	char why[300] = "";
	uint32_t inode = 0;

	if (!netns_find(text, &inode, why, sizeof(why)))
		fail_msg("'%s': %s", text, why);
	assert_string_equal(why, "");
	return inode;
}

static void bad(const char *text, const char *reason)
{
	char why[300] = "";
	uint32_t inode = 7;

	if (netns_find(text, &inode, why, sizeof(why)))
		fail_msg("'%s' is namespace %u", text, inode);
	assert_contains(why, reason);
	assert_int_equal(inode, 7);
}

static void test_process(void **state)
{
	char text[20];

	(void)state;
	snprintf(text, sizeof(text), "%d", (int)getpid());
	assert_int_equal(good(text), own_inode());
	/* No process can have it: pid_max is one more, and excludes itself. */
	bad("4194304", "no process of that id");
	bad("4194304", "/run/netns/4194304");
	bad("0", "neither a process id nor an inode number");
}

static void test_inode(void **state)
{
	(void)state;
	assert_int_equal(good("4026531840"), 4026531840u);
	assert_int_equal(good("4294967295"), 4294967295u);
	bad("4294967296", "neither");
	bad("99999999999999999999", "neither");
}

static void test_file(void **state)
{
	char path[32];

	(void)state;
	assert_int_equal(good("/proc/self/ns/net"), own_inode());
	bad("/proc/self/ns/uts", "no network namespace");
	bad("/proc/self/ns/none", "No such file");
	bad("/", "no network namespace");
	bad("/dev/null", "no network namespace");
	make_file(path, "", 0);
	bad(path, "no network namespace");
	/* Nobody writes to it, and yet it must not be waited for. */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	bad(path, "no network namespace");
	unlink(path);
}

static void test_name(void **state)
{
	(void)state;
	bad("no-such-name", "no network namespace has that name");
	bad("12x", "no network namespace has that name");
	bad("-1", "no network namespace has that name");
	bad("", "it is empty");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_process),
	cmocka_unit_test(test_inode),
	cmocka_unit_test(test_file),
	cmocka_unit_test(test_name),
};

RUN("netns", tests)
