// SPDX-License-Identifier: GPL-2.0-only
/* test_caps.c - user/caps.c: which privileges are not there. */
#include "test.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>

#include "caps.h"

struct caps {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[2];
};

static bool has(const struct caps *caps, int cap)
{
	return caps->data[cap / 32].permitted & 1u << cap % 32;
}

/* In a child, with these of the caller's capabilities: "" for none missing. */
static const char *missing_with(const struct caps *all, uint64_t keep)
{
	static char names[100];
	int ends[2], status;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		struct caps less = *all;
		bool missing;

		for (int i = 0; i < 2; i++)
			less.data[i].effective &= keep >> 32 * i;
		syscall(SYS_capset, &less.head, less.data);
		names[0] = '\0';
		missing = caps_missing(names, sizeof(names));
		if (write(ends[1], missing ? names : "-",
			  missing ? strlen(names) : 1) < 0)
			_exit(2);
		_exit(0);
	}
	close(ends[1]);
	got = read(ends[0], names, sizeof(names) - 1);
	close(ends[0]);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	names[got > 0 ? got : 0] = '\0';
	return names;
}

static struct caps mine(void)
{
	struct caps caps = { .head = { .version =
					       _LINUX_CAPABILITY_VERSION_3 } };

	assert_int_equal(syscall(SYS_capget, &caps.head, caps.data), 0);
	return caps;
}

static void test_none(void **state)
{
	struct caps caps = mine();

	(void)state;
	assert_string_equal(missing_with(&caps, 0), "CAP_BPF and CAP_PERFMON");
}

static void test_some(void **state)
{
	const uint64_t bpf = 1ull << CAP_BPF, perfmon = 1ull << CAP_PERFMON;
	struct caps caps = mine();

	(void)state;
	if (!has(&caps, CAP_BPF) || !has(&caps, CAP_PERFMON) ||
	    !has(&caps, CAP_SYS_ADMIN)) {
		print_message(
			"skipped: not root, so there is nothing to drop\n");
		skip();
	}
	assert_string_equal(missing_with(&caps, bpf), "CAP_PERFMON");
	assert_string_equal(missing_with(&caps, perfmon), "CAP_BPF");
	assert_string_equal(missing_with(&caps, bpf | perfmon), "-");
	assert_string_equal(missing_with(&caps, 1ull << CAP_SYS_ADMIN), "-");
	assert_string_equal(missing_with(&caps, 1ull << CAP_NET_ADMIN),
			    "CAP_BPF and CAP_PERFMON");
}

/* All capabilities of a user namespace are none for BPF. */
static void test_namespace(void **state)
{
	char names[100];
	int status;
	pid_t child;

	(void)state;
	assert_false(caps_are_of_namespace());
	child = fork();
	if (!child) {
		if (unshare(CLONE_NEWUSER))
			_exit(77);
		if (!caps_are_of_namespace())
			_exit(1);
		if (!(caps_effective() & 1ull << CAP_BPF))
			_exit(2);
		_exit(!caps_missing(names, sizeof(names)) ||
		      !strstr(names, "outside of its user namespace"));
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("skipped: no user namespaces here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_none),
	cmocka_unit_test(test_some),
	cmocka_unit_test(test_namespace),
};

RUN("caps", tests)
