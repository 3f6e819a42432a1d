// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_options.c - user/options.c: what a command line means, and which ones
 * mean nothing. Each is parsed in a child, since a wrong one ends the program.
 */
#include "test.h"

#include "log.h"
#include "options.h"

/* What the child leaves. */
static struct shared {
	struct options options;
	int verbose;
	char paths[PIPELINE_SINKS_MAX][40];
} * shared;
static char words[4096]; /* on stdout and stderr */

static int map(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED;
}

static void parse_here(char **argv, int argc, int out)
{
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	options_parse(&shared->options, argc, argv);
	shared->verbose = log_verbose;
	for (size_t i = 0; i < shared->options.output_count; i++)
		snprintf(shared->paths[i], sizeof(shared->paths[i]), "%s",
			 shared->options.outputs[i].path);
	_exit(100);
}

/* The exit code, 100 where options_parse() returned. Arguments are separated
 * by spaces; '' is an empty one. */
static int parse(const char *line)
{
	char *copy = strdup(line), *argv[40] = { "sockdemux-trace" };
	int argc = 1, out = memfd_create("words", 0), status;
	pid_t child;
	ssize_t got;

	for (char *arg = strtok(copy, " "); arg; arg = strtok(NULL, " "))
		argv[argc++] = strcmp(arg, "''") ? arg : "";
	memset(shared, 0, sizeof(*shared));
	fflush(NULL);
	child = fork();
	if (!child)
		parse_here(argv, argc, out);
	waitpid(child, &status, 0);
	got = pread(out, words, sizeof(words) - 1, 0);
	words[got > 0 ? got : 0] = '\0';
	close(out);
	free(copy);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void good(const char *line)
{
	if (parse(line) != 100)
		fail_msg("'%s' was refused: %s", line, words);
}

static void bad(const char *line, const char *why)
{
	int code = parse(line);

	if (code != EXIT_USAGE)
		fail_msg("'%s' ended with %d", line, code);
	assert_contains(words, why);
}

static void test_defaults(void **state)
{
	const struct options *options = &shared->options;

	(void)state;
	good("");
	assert_true(options->wanted.any_port);
	assert_int_equal(options->wanted.families, DEMUX_IPV4 | DEMUX_IPV6);
	assert_int_equal(options->wanted.pid, 0);
	assert_false(options->has_filter || options->demo || options->quiet);
	assert_int_equal(options->count, 0);
	assert_int_equal(options->duration_ns, 0);
	assert_int_equal(options->ring_size, 16 << 20);
	assert_null(options->replay);
	assert_null(options->backend);
	assert_int_equal(options->output_count, 1);
	assert_ptr_equal(options->outputs[0].type, &sink_text);
	assert_string_equal(shared->paths[0], "-");
}

static bool wants(unsigned int port)
{
	return shared->options.wanted.ports[port / 8] & 1 << port % 8;
}

static unsigned int wanted_ports(void)
{
	unsigned int count = 0;

	for (unsigned int port = 0; port < 65536; port++)
		count += wants(port);
	return count;
}

static void test_ports(void **state)
{
	(void)state;
	good("-P 443");
	assert_true(wants(443) && wanted_ports() == 1);
	assert_false(shared->options.wanted.any_port);
	assert_true(shared->options.has_filter);
	good("-P 80,443");
	assert_true(wants(80) && wants(443) && wanted_ports() == 2);
	good("--port 8000-8999");
	assert_true(wants(8000) && wants(8999) && wanted_ports() == 1000);
	good("-P 1,65535 -P 5-5,7-9 -P 80");
	assert_true(wants(1) && wants(65535) && wants(5) && wants(9));
	assert_true(wants(80) && wanted_ports() == 7);
	good("-P 1-65535");
	assert_int_equal(wanted_ports(), 65535);
}

static void test_bad_ports(void **state)
{
	static const char *const lists[] = {
		"0",      "65536",  "80x",     "90-80",
		"''",     "80,",    ",80",     "-80",
		"80-",    "80--90", "1-65536", "0-5",
		"80,,90", "+80",    "0x50",    "99999999999999999999",
		"80,x",   "http",   "80;90",
	};
	char line[60];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(line, sizeof(line), "-P %s", lists[i]);
		bad(line, "bad port list '");
	}
	bad("-P 80 -P x", "bad port list 'x'");
	bad("-P", "requires an argument");
}

static void test_families_and_pid(void **state)
{
	(void)state;
	good("-4");
	assert_int_equal(shared->options.wanted.families, DEMUX_IPV4);
	assert_true(shared->options.has_filter);
	good("-6");
	assert_int_equal(shared->options.wanted.families, DEMUX_IPV6);
	good("-4 -6");
	assert_int_equal(shared->options.wanted.families, 3);
	assert_false(shared->options.has_filter);
	good("-p 4194304");
	assert_int_equal(shared->options.wanted.pid, 4194304);
	assert_true(shared->options.has_filter);
	bad("-p 0", "bad pid '0'");
	bad("-p 4194305", "bad pid");
	bad("-p self", "bad pid 'self'");
	bad("-p ''", "bad pid ''");
	bad("-p -1", "bad pid '-1'");
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
	good("demo");
	assert_true(shared->options.demo);
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_defaults),
	cmocka_unit_test(test_ports),
	cmocka_unit_test(test_bad_ports),
	cmocka_unit_test(test_families_and_pid),
	cmocka_unit_test(test_count_and_duration),
	cmocka_unit_test(test_tiny_duration),
	cmocka_unit_test(test_buffer_size),
	cmocka_unit_test(test_outputs),
	cmocka_unit_test(test_the_rest),
	cmocka_unit_test(test_help_and_version),
};

int main(void)
{
	return cmocka_run_group_tests_name("options", tests, map, NULL);
}
