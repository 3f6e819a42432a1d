// SPDX-License-Identifier: GPL-2.0-only
/* test_doctor_facts.c - user/doctor_facts.c, doctor_limits.c: what is made of
 * what this machine shows. */
#include "test.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "doctor_looks.h"

#define BIT(cap) (1ull << (cap))

static void test_lockdown(void **state)
{
	static const struct {
		const char *text, *value;
		enum doctor_state state;
	} cases[] = {
		{ "[none] integrity confidentiality", "none", DOCTOR_GOOD },
		{ "none [integrity] confidentiality", "integrity",
		  DOCTOR_GOOD },
		{ "none integrity [confidentiality]", "confidentiality",
		  DOCTOR_BAD },
		{ "[more]", "more", DOCTOR_GOOD },
		{ "", "", DOCTOR_UNKNOWN },
		{ "none", "", DOCTOR_UNKNOWN },
		{ "[", "", DOCTOR_UNKNOWN },
		{ "[]", "", DOCTOR_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_check check = { 0 };

		assert_int_equal(doctor_facts_of_lockdown(&check,
							  cases[i].text),
				 cases[i].state);
		assert_string_equal(check.value, cases[i].value);
	}
}

/* --- capabilities ------------------------------------------------------------ */

static struct doctor_check check;

static enum doctor_state with(unsigned long long caps, bool in_namespace,
			      bool hidden)
{
	check = (struct doctor_check){ 0 };
	return doctor_facts_of_privileges(&check, caps, in_namespace, hidden);
}

static void test_privileges(void **state)
{
	const unsigned long long least = BIT(CAP_BPF) | BIT(CAP_PERFMON);

	(void)state;
	assert_int_equal(with(~0ull, false, false), DOCTOR_GOOD);
	assert_int_equal(with(BIT(CAP_SYS_ADMIN), false, false), DOCTOR_GOOD);
	assert_string_equal(check.value, "CAP_SYS_ADMIN");
	assert_int_equal(with(least | BIT(CAP_NET_ADMIN), false, false),
			 DOCTOR_GOOD);
	assert_int_equal(with(0, false, true), DOCTOR_BAD);
	assert_null(check.of);
	assert_contains(check.meaning,
			"lacks CAP_BPF, CAP_PERFMON, and for backend stable "
			"also CAP_NET_ADMIN, CAP_SYSLOG");
	assert_contains(check.value, "none");
}

/* What only one backend lacks is in the way of that one. */
static void test_privileges_of_stable(void **state)
{
	const unsigned long long least = BIT(CAP_BPF) | BIT(CAP_PERFMON);

	(void)state;
	assert_int_equal(with(least, false, false), DOCTOR_BAD);
	assert_ptr_equal(check.of, &backend_stable);
	assert_string_equal(check.meaning, "this process lacks CAP_NET_ADMIN");
	assert_int_equal(with(BIT(CAP_SYS_ADMIN), false, true), DOCTOR_BAD);
	assert_ptr_equal(check.of, &backend_stable);
	assert_string_equal(check.meaning, "this process lacks CAP_SYSLOG");
	assert_int_equal(with(BIT(CAP_BPF) | BIT(CAP_NET_ADMIN), false, false),
			 DOCTOR_BAD);
	assert_null(check.of);
	assert_string_equal(check.meaning, "this process lacks CAP_PERFMON");
}

static void test_privileges_of_namespace(void **state)
{
	(void)state;
	assert_int_equal(with(~0ull, true, false), DOCTOR_BAD);
	assert_null(check.of);
	assert_contains(check.meaning, "user namespace");
	assert_contains(check.value, "CAP_SYS_ADMIN, but");
}

/* --- containers ---------------------------------------------------------------- */

static void put_file(const char *root, const char *path, const char *text)
{
	char full[100];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_signs(void **state)
{
	char root[] = "/tmp/sockdemux-unit.XXXXXX", path[100], signs[200];

	(void)state;
	assert_non_null(mkdtemp(root));
	doctor_facts_signs(root, signs, sizeof(signs));
	assert_string_equal(signs, "");
	put_file(root, "/.dockerenv", "");
	doctor_facts_signs(root, signs, sizeof(signs));
	assert_string_equal(signs, "docker (/.dockerenv)");
	snprintf(path, sizeof(path), "%s/run", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/run/systemd", root);
	assert_int_equal(mkdir(path, 0700), 0);
	put_file(root, "/run/systemd/container", "lxc\nmore");
	put_file(root, "/run/.containerenv", "");
	doctor_facts_signs(root, signs, sizeof(signs));
	assert_contains(signs, "lxc (/run/systemd/container), docker");
	assert_contains(signs, ", podman (/run/.containerenv)");
	/* Whatever does not fit is left out. */
	doctor_facts_signs(root, signs, 10);
	assert_string_equal(signs, "lxc (/run");
	snprintf(path, sizeof(path), "rm -r %s", root);
	assert_int_equal(system(path), 0);
}

/* --- limits -------------------------------------------------------------------- */

static void test_memlock(void **state)
{
	static const struct {
		unsigned long long limit;
		int counts;
		bool can_raise;
		enum doctor_state state;
		const char *value;
	} cases[] = {
		{ 64 << 10, 0, false, DOCTOR_GOOD, "64 KiB" },
		{ 64 << 10, 1, false, DOCTOR_BAD, "64 KiB" },
		{ 64 << 10, 1, true, DOCTOR_GOOD, "64 KiB" },
		{ 16 << 20, 1, false, DOCTOR_BAD, "16 MiB" },
		{ 64 << 20, 1, false, DOCTOR_GOOD, "64 MiB" },
		{ RLIM_INFINITY, 1, false, DOCTOR_GOOD, "unlimited" },
		{ 8 << 20, -1, false, DOCTOR_UNKNOWN, "8 MiB" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_check one = { 0 };

		assert_int_equal(doctor_limits_of_memlock(&one, cases[i].limit,
							  cases[i].counts,
							  cases[i].can_raise),
				 cases[i].state);
		assert_string_equal(one.value, cases[i].value);
	}
}

static void test_kptr(void **state)
{
	struct doctor_check one = { 0 };

	(void)state;
	assert_int_equal(doctor_limits_of_kptr(&one, 2, true, false),
			 DOCTOR_GOOD);
	assert_int_equal(doctor_limits_of_kptr(&one, 2, false, true),
			 DOCTOR_BAD);
	assert_contains(one.help, "kptr_restrict=1");
	assert_int_equal(doctor_limits_of_kptr(&one, 1, false, false),
			 DOCTOR_BAD);
	assert_contains(one.help, "CAP_SYSLOG");
	assert_int_equal(doctor_limits_of_kptr(&one, 1, false, true),
			 DOCTOR_GOOD);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_lockdown),
	cmocka_unit_test(test_privileges),
	cmocka_unit_test(test_privileges_of_stable),
	cmocka_unit_test(test_privileges_of_namespace),
	cmocka_unit_test(test_signs),
	cmocka_unit_test(test_memlock),
	cmocka_unit_test(test_kptr),
};

RUN("doctor_facts", tests)
