// SPDX-License-Identifier: GPL-2.0-only
/* test_doctor.c - user/doctor_backend.c, doctor_text.c, doctor_json.c: from what
 * was tried to why, and how it is told. */
#include "test.h"

#include <errno.h>

#include "doctor_report.h"
#include "options.h"
#include "out.h"

static struct doctor_report report;

static struct doctor_check *add_check(const char *name, enum doctor_state state,
				      const struct backend *of)
{
	struct doctor_check *check = &report.checks[report.check_count++];

	*check =
		(struct doctor_check){ .name = name, .state = state, .of = of };
	return check;
}

static struct doctor_backend *add_backend(const struct backend *backend)
{
	struct doctor_backend *added = &report.backends[report.backend_count++];

	*added = (struct doctor_backend){ .backend = backend };
	for (const struct hook *hook = backend->hooks; hook->program; hook++)
		added->hooks[added->hook_count++].hook = hook;
	return added;
}

static int begin(void **state)
{
	(void)state;
	report = (struct doctor_report){ .kernel = "6.0" };
	return 0;
}

/* --- why ------------------------------------------------------------------ */

/* The first check that is bad for a backend is its reason. */
static void test_explain(void **state)
{
	struct doctor_backend *fentry = add_backend(&backend_fentry);
	struct doctor_backend *kprobe = add_backend(&backend_kprobe);
	struct doctor_backend *stable = add_backend(&backend_stable);
	struct doctor_check *check;

	(void)state;
	strcpy(stable->error, "own words");
	check = add_check("memlock", DOCTOR_UNKNOWN, NULL);
	check->meaning = "never";
	check = add_check("kprobes", DOCTOR_BAD, &backend_kprobe);
	check->meaning = "no probes";
	check->help = "probes";
	check = add_check("ring", DOCTOR_LESS, NULL);
	check->meaning = "never";
	check = add_check("later", DOCTOR_BAD, &backend_kprobe);
	check->meaning = "never";
	fentry->works = true;
	for (int i = 0; i < 3; i++)
		doctor_backend_explain(&report.backends[i], &report);
	assert_null(fentry->why);
	assert_null(fentry->help);
	assert_string_equal(kprobe->why, "no probes");
	assert_string_equal(kprobe->help, "probes");
	assert_string_equal(stable->why, "own words");
	assert_non_null(stable->help);
	add_check("bpf", DOCTOR_BAD, NULL)->meaning = "no BPF";
	doctor_backend_explain(kprobe, &report);
	doctor_backend_explain(stable, &report);
	assert_string_equal(kprobe->why, "no probes");
	assert_string_equal(stable->why, "no BPF");
}

/* Whatever else is wrong: this the user did. */
static void test_explain_without(void **state)
{
	struct doctor_backend *stable = add_backend(&backend_stable);

	(void)state;
	add_check("bpf", DOCTOR_BAD, NULL)->meaning = "no BPF";
	strcpy(stable->error, "left out");
	for (int i = 0; i < stable->hook_count; i++)
		if (!strcmp(stable->hooks[i].hook->program, "on_reset"))
			stable->hooks[i].error = -ECANCELED;
	doctor_backend_explain(stable, &report);
	assert_string_equal(stable->why, "no BPF");
	for (int i = 0; i < stable->hook_count; i++)
		if (!strcmp(stable->hooks[i].hook->program, "on_drop"))
			stable->hooks[i].error = -ECANCELED;
	doctor_backend_explain(stable, &report);
	assert_string_equal(stable->why, "left out");
}

static void test_sum_up(void **state)
{
	static const char one[] = "one reason", other[] = "another";
	struct doctor_backend *fentry = add_backend(&backend_fentry);
	struct doctor_backend *stable = add_backend(&backend_stable);

	(void)state;
	fentry->why = stable->why = one;
	fentry->help = stable->help = "help";
	doctor_backend_sum_up(&report);
	assert_null(report.best);
	assert_ptr_equal(report.why, one);
	assert_string_equal(report.help, "help");
	stable->why = other;
	doctor_backend_sum_up(&report);
	assert_contains(report.why, "each for a reason of its own");
	stable->works = true;
	doctor_backend_sum_up(&report);
	assert_ptr_equal(report.best, stable);
	assert_null(report.why);
}

static void test_hook_why(void **state)
{
	static const struct hook function = { .kind = HOOK_KPROBE };
	static const struct hook tracepoint = { .kind = HOOK_TRACEPOINT };
	static const struct hook cgroup = { .kind = HOOK_CGROUP };
	static const struct hook event = { .kind = HOOK_EVENT };
	static const struct {
		const struct hook *hook;
		int error;
		const char *why;
	} cases[] = {
		{ &function, -ECANCELED, "--without" },
		{ &function, -ENOENT, "no such function" },
		{ &tracepoint, -ENOENT, "no such tracepoint" },
		{ &event, -ENOENT, "never preempts" },
		{ &cgroup, -ENODEV, "not mounted" },
		{ &function, -ENODEV, "No such device" },
		{ &cgroup, -EPERM, "another program" },
		{ &function, -EPERM, "Operation not permitted" },
		{ &function, -524, "not supported" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_hook hook = { .hook = cases[i].hook,
					    .error = cases[i].error };

		doctor_backend_hook_why(&hook);
		assert_contains(hook.why, cases[i].why);
	}
}

/* --- what libbpf says ------------------------------------------------------- */

static void test_hear(void **state)
{
	struct doctor_backend backend = { 0 };

	(void)state;
	doctor_backend_hear(&backend, "libbpf: prog 'on_a': relo #1\n");
	assert_string_equal(backend.refused, "");
	doctor_backend_hear(&backend,
			    "libbpf: prog 'on_a': -- BEGIN PROG LOAD LOG --\n"
			    "0: R1=ctx()\n"
			    "invalid access\n"
			    "processed 42 insns (limit 1000000)\n"
			    "-- END PROG LOAD LOG --\n");
	assert_string_equal(backend.said, "invalid access");
	doctor_backend_hear(&backend,
			    "libbpf: prog 'on_a': failed to load: -22\n");
	assert_string_equal(backend.refused, "on_a");
}

/* A verifier that said nothing, and one that said too much. */
static void test_hear_odd(void **state)
{
	struct doctor_backend backend = { 0 };
	char *words = calloc(1, 100000);

	(void)state;
	doctor_backend_hear(&backend,
			    "libbpf: prog 'a': -- BEGIN PROG LOAD LOG --\n"
			    "-- END PROG LOAD LOG --\n");
	assert_string_equal(backend.said, "");
	strcpy(words, "libbpf: prog 'a': -- BEGIN PROG LOAD LOG --\n");
	memset(words + strlen(words), 'x', 90000);
	doctor_backend_hear(&backend, words);
	assert_int_equal(strlen(backend.said), sizeof(backend.said) - 1);
	memcpy(words, "libbpf: prog '", 14);
	memset(words + 14, 'x', 200);
	strcpy(words + 214, "': failed to load: -1");
	doctor_backend_hear(&backend, words);
	assert_string_equal(backend.refused, "");
	free(words);
}

/* --- how it is told ---------------------------------------------------------- */

static const char *told(void (*tell)(struct out *out,
				     const struct doctor_report *report))
{
	static char text[100000];
	char path[32];
	struct out out;
	size_t len;

	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	tell(&out, &report);
	out_end(&out);
	assert_int_equal(out_close(&out), 0);
	len = read_file(path, text, sizeof(text) - 1);
	text[len] = '\0';
	unlink(path);
	return text;
}

static void check_width(const char *text)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") > 100)
			fail_msg("%zu columns: %.120s", strcspn(text, "\n"),
				 text);
}

/* Names and values of any length, from who knows where. */
static void test_text_width(void **state)
{
	struct doctor_backend *stable = add_backend(&backend_stable);
	struct doctor_check *check = add_check("cgroup_v2", DOCTOR_BAD, NULL);
	const char *text;

	(void)state;
	memset(check->value, 'x', sizeof(check->value) - 1);
	check->value[4] = '\033';
	check->value[9] = '\n';
	check->meaning = "a b c d e f g h i j k l m n o p q r s t u v w x y z "
			 "a b c d e f g h i j k l m n o p q r s t u v w x y z "
			 "a b c d e f g h i j k l m n o p q r s t u v w x y z";
	check->help = check->meaning;
	stable->hooks[0].state = DOCTOR_NOT_ATTACHED;
	memset(stable->hooks[0].why, 'y', sizeof(stable->hooks[0].why) - 1);
	report.verbose = true;
	doctor_backend_explain(stable, &report);
	doctor_backend_sum_up(&report);
	text = told(doctor_text);
	check_width(text);
	assert_contains(text, "xxxx\\x1bxxxx\\x0axx");
	assert_lacks(text, "\033");
}

static void test_text_answers(void **state)
{
	static const struct hook event = { "on_event", "event", HOOK_EVENT,
					   .gives = "all" };
	struct doctor_backend *fentry = add_backend(&backend_fentry);
	struct doctor_backend *stable = add_backend(&backend_stable);
	struct doctor_check *check =
		add_check("trampolines", DOCTOR_BAD, &backend_fentry);
	const char *text;

	(void)state;
	check->meaning = "it refuses";
	check->help = "nothing";
	stable->works = true;
	for (int i = 0; i < stable->hook_count; i++)
		stable->hooks[i].state = DOCTOR_ATTACHED;
	strcpy(stable->missing, "sys_exit");
	doctor_backend_explain(fentry, &report);
	doctor_backend_sum_up(&report);
	text = told(doctor_text);
	assert_true(strstr(text, "sockdemux-trace can trace on this machine, "
				 "with backend stable.\n") == text);
	assert_contains(text, "no proof, as hooks are missing: sys_exit\n");
	assert_contains(text, "why: it refuses\n");
	assert_contains(text, "fentry  not known");
	assert_lacks(text, "on_match");
	report.verbose = true;
	assert_contains(told(doctor_text), "yes on_match");
	assert_lacks(told(doctor_text), "tcp_v4_rcv");
	stable->hooks[0].state = DOCTOR_POINTLESS;
	assert_contains(told(doctor_text), "nothing of that kind");
	stable->hooks[0].hook = &event;
	strcpy(stable->hooks[0].why, "it never preempts");
	assert_lacks(told(doctor_text), "nothing of that kind");
	assert_contains(told(doctor_text), "pointless: it never preempts");
	stable->works = false;
	stable->why = fentry->why;
	report.best = NULL;
	doctor_backend_sum_up(&report);
	assert_contains(told(doctor_text), "sockdemux-trace cannot trace on "
					   "this machine: it refuses.\n"
					   "  help: nothing\n");
}

/* What limits it is said at once where it matters. */
static void test_text_limits(void **state)
{
	struct doctor_backend *fentry = add_backend(&backend_fentry);

	(void)state;
	fentry->works = true;
	add_check("ring_buffer", DOCTOR_LESS, NULL)->meaning = "little memory";
	add_check("cgroup_v2", DOCTOR_LESS, &backend_stable)->meaning = "part";
	doctor_backend_sum_up(&report);
	assert_contains(told(doctor_text), "fentry.\n"
					   "  ring_buffer: little memory\n\n");
}

/* What is not known is absent. */
static void test_json(void **state)
{
	struct doctor_backend *stable = add_backend(&backend_stable);
	struct doctor_check *check = add_check("memlock", DOCTOR_UNKNOWN, NULL);
	const char *text;

	(void)state;
	check = add_check("kptr_restrict", DOCTOR_LESS, &backend_stable);
	strcpy(check->value, "a\"b");
	check->meaning = "why";
	stable->hooks[0].state = DOCTOR_ATTACHED;
	stable->hooks[1].state = DOCTOR_POINTLESS;
	strcpy(stable->error, "words");
	stable->why = stable->error;
	doctor_backend_sum_up(&report);
	text = told(doctor_json);
	assert_contains(text, "{\"event\":\"doctor\",\"can_trace\":false,"
			      "\"why\":\"words\",\"kernel\":\"6.0\",");
	assert_contains(text, "{\"name\":\"memlock\"}");
	assert_contains(text,
			"{\"name\":\"kptr_restrict\",\"value\":\"a\\\"b\","
			"\"ok\":false,\"meaning\":\"why\","
			"\"backend\":\"stable\"}]}\n");
	assert_contains(text, "\"works\":false,\"why\":\"words\","
			      "\"error\":\"words\",\"hooks\":[{");
	assert_contains(text, "\"attached\":true},{");
	assert_contains(text, "\"attached\":false,\"pointless\":true},{");
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	assert_null(strstr(strstr(text, "pointless") + 1, "attached"));
}

static const struct CMUnitTest tests[] = {
	TEST_BEGUN(test_explain),     TEST_BEGUN(test_explain_without),
	TEST_BEGUN(test_sum_up),      TEST_BEGUN(test_hook_why),
	TEST_BEGUN(test_hear),        TEST_BEGUN(test_hear_odd),
	TEST_BEGUN(test_text_width),  TEST_BEGUN(test_text_answers),
	TEST_BEGUN(test_text_limits), TEST_BEGUN(test_json),
};

RUN("doctor", tests)
