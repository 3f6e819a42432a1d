// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_options.c - user/options.c: what a command line means, and which ones
 * mean nothing.
 */
#include "command_line.h"

static void test_defaults(void **state)
{
	const struct options *options = &shared->options;

	(void)state;
	good("");
	assert_true(options->wanted.any_port);
	assert_int_equal(options->wanted.families, DEMUX_IPV4 | DEMUX_IPV6);
	assert_int_equal(options->wanted.pid, 0);
	assert_false(options->has_filter || options->task || options->quiet);
	assert_int_equal(options->count, 0);
	assert_int_equal(options->duration_ns, 0);
	assert_int_equal(options->ring_size, 16 << 20);
	assert_false(options->no_sandbox);
	assert_null(options->replay);
	assert_null(options->backend);
	assert_null(options->command);
	assert_int_equal(options->wanted.netns, 0);
	assert_int_equal(options->wanted.cgroup, 0);
	assert_int_equal(options->wanted.remote_family, 0);
	assert_int_equal(options->wanted.remote_port, 0);
	assert_int_equal(options->wanted.follow, 0);
	assert_int_equal(options->output_count, 1);
	assert_ptr_equal(options->outputs[0].type, &sink_text);
	assert_string_equal(shared->paths[0], "-");
}

static void test_count_and_duration(void **state)
{
	(void)state;
	good("-n 5 -d 0.5");
	assert_int_equal(shared->options.count, 5);
	assert_int_equal(shared->options.duration_ns, 500000000);
	good("--count 18446744073709551615 --duration 10");
	assert_true(shared->options.count == UINT64_MAX);
	assert_int_equal(shared->options.duration_ns, 10000000000);
	bad("-n 0", "bad count '0'");
	bad("-n 18446744073709551616", "bad count");
	bad("-n 5k", "bad count '5k'");
	bad("-d 0", "bad duration '0'");
	bad("-d -1", "bad duration");
	bad("-d 5s", "bad duration '5s'");
	bad("-d ''", "bad duration ''");
	bad("-d nan", "bad duration");
	bad("-d inf", "bad duration");
	bad("-d 1e10", "bad duration");
}

/* So short that it would be 0, which is no end at all. */
static void test_tiny_duration(void **state)
{
	(void)state;
	if (parse("-d 1e-10") == 100)
		assert_int_not_equal(shared->options.duration_ns, 0);
	else
		assert_contains(words, "bad duration");
}

static void test_buffer_size(void **state)
{
	static const struct {
		const char *line;
		size_t size;
	} cases[] = {
		{ "--buffer-size 1", 4096 },
		{ "--buffer-size 4096", 4096 },
		{ "--buffer-size 4097", 8192 },
		{ "--buffer-size 64K", 65536 },
		{ "--buffer-size 64k", 65536 },
		{ "--buffer-size 3M", 4 << 20 },
		{ "--buffer-size=1024M", 1 << 30 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		good(cases[i].line);
		assert_int_equal(shared->options.ring_size, cases[i].size);
	}
	bad("--buffer-size 0", "bad buffer size '0'");
	bad("--buffer-size 1025M", "bad buffer size");
	bad("--buffer-size 1G", "bad buffer size");
	bad("--buffer-size 16MB", "bad buffer size");
	bad("--buffer-size M", "bad buffer size");
	bad("--buffer-size -1", "bad buffer size");
}

static void expect_output(size_t i, const struct sink_type *type,
			  const char *path)
{
	assert_true(i < shared->options.output_count);
	assert_ptr_equal(shared->options.outputs[i].type, type);
	assert_string_equal(shared->paths[i], path);
}

static void test_outputs(void **state)
{
	(void)state;
	good("-j");
	expect_output(0, &sink_json, "-");
	assert_int_equal(shared->options.output_count, 1);
	good("-o text -o json:a.json -o record:b:c -w d");
	expect_output(0, &sink_text, "-");
	expect_output(1, &sink_json, "a.json");
	expect_output(2, &sink_record, "b:c");
	expect_output(3, &sink_record, "d");
	assert_int_equal(shared->options.output_count, 4);
	assert_false(shared->options.quiet);
	good("-w -");
	expect_output(0, &sink_record, "-");
	assert_int_equal(shared->options.output_count, 1);
	/* Beside a recording alone, only what came of it. */
	good("-w file");
	expect_output(0, &sink_record, "file");
	expect_output(1, &sink_text, "-");
	assert_true(shared->options.quiet);
	bad("-o", "requires an argument");
	bad("-o xml", "no output is called 'xml'");
	bad("-o ''", "no output is called ''");
	bad("-o json:", "no file");
	bad("-w ''", "no file");
	bad("-o text -j", "two outputs go to '-'");
	bad("-w a -o json:a", "two outputs go to 'a'");
	bad("-w 1 -w 2 -w 3 -w 4 -w 5 -w 6 -w 7 -w 8 -w 9 -w 10 -w 11 -w 12 "
	    "-w 13 -w 14 -w 15 -w 16 -w 17",
	    "more than 16 outputs");
}

static void test_the_rest(void **state)
{
	(void)state;
	good("-r file -q -v -v -b fentry --without a,b");
	assert_true(shared->options.quiet);
	assert_int_equal(shared->verbose, 2);
	assert_non_null(shared->options.replay);
	assert_non_null(shared->options.backend);
	assert_non_null(shared->options.without);
	good("--detail");
	assert_true(shared->options.wanted.detail);
	assert_false(shared->options.explain || shared->options.has_filter);
	good("-S --explain -j"); /* which looks into the tables, too */
	assert_true(shared->options.wanted.detail);
	assert_true(shared->options.explain && shared->options.absolute);
	assert_false(shared->options.has_filter);
	good("-r file --absolute");
	assert_true(shared->options.absolute && !shared->options.explain);
	good("demo");
	assert_int_equal(shared->options.task, TASK_DEMO);
	bad("demo demo", "no command");
	bad("dmeo", "'dmeo' is no command");
	bad("demo -r x", "replays nothing");
	bad("demo -P 80", "takes no filter");
	bad("demo -4", "takes no filter");
	bad("-b ebpf", "no backend is called 'ebpf'");
	bad("--nonsense", "unrecognized option");
	bad("-x", "invalid option");
}

static void test_help_and_version(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), EXIT_DONE);
	assert_contains(words, "--port");
	assert_contains(words, "Exit status");
	assert_int_equal(parse("-h"), EXIT_DONE);
	assert_int_equal(parse("-V"), EXIT_DONE);
	assert_true(!strncmp(words, "sockdemux-trace ", 16));
	assert_int_equal(parse("--version"), EXIT_DONE);
}

static void test_doctor(void **state)
{
	static const char *const wrong[] = {
		"-d 1",      "-n 1",
		"-q",        "-r x",
		"-w x",      "-o json:x",
		"-4",        "-P 80",
		"-p 1",      "--buffer-size 64K",
		"-j -w x",   "-- x",
		"-o record", "--explain",
		"-S",        "--detail",
	};
	char line[40];

	(void)state;
	good("doctor");
	assert_int_equal(shared->options.task, TASK_DOCTOR);
	assert_ptr_equal(shared->options.outputs[0].type, &sink_text);
	good("-v doctor -j -b stable --without a,b");
	assert_int_equal(shared->options.task, TASK_DOCTOR);
	assert_ptr_equal(shared->options.outputs[0].type, &sink_json);
	assert_non_null(shared->options.without);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "doctor %s", wrong[i]);
		bad(line, "the doctor traces nothing");
	}
	bad("doctor doctor", "no command");
	bad("demo doctor", "no command");
}

static void test_sockets(void **state)
{
	static const char *const wrong[] = { "-n 1", "-q", "-w x",
					     "-o record:x", "-- true" };
	char line[40];

	(void)state;
	good("sockets");
	assert_int_equal(shared->options.task, TASK_SOCKETS);
	assert_ptr_equal(shared->options.outputs[0].type, &sink_text);
	good("-j sockets -P 80 -d 1 -o text:x");
	good("sockets -r x -6 -p 1");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "sockets %s", wrong[i]);
		bad(line, "sockets lists sockets");
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_defaults),
	cmocka_unit_test(test_count_and_duration),
	cmocka_unit_test(test_tiny_duration),
	cmocka_unit_test(test_buffer_size),
	cmocka_unit_test(test_outputs),
	cmocka_unit_test(test_the_rest),
	cmocka_unit_test(test_doctor),
	cmocka_unit_test(test_sockets),
	cmocka_unit_test(test_help_and_version),
};

int main(void)
{
	return cmocka_run_group_tests_name("options", tests, map_shared, NULL);
}
