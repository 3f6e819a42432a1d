// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_options_wanted.c - user/options_wanted.c: which segments and sockets a
 * command line asks for, and what does not go together.
 */
#include "command_line.h"

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

static void test_protocols(void **state)
{
	(void)state;
	good("");
	assert_int_equal(shared->options.wanted.protos, DEMUX_TCP);
	good("-t");
	assert_int_equal(shared->options.wanted.protos, DEMUX_TCP);
	good("-u");
	assert_int_equal(shared->options.wanted.protos, DEMUX_UDP);
	good("-tu");
	assert_int_equal(shared->options.wanted.protos, DEMUX_TCP | DEMUX_UDP);
	/* A recording is shown whole, unless a part is asked for. */
	good("-r x");
	assert_int_equal(shared->options.wanted.protos, DEMUX_TCP | DEMUX_UDP);
	assert_false(shared->options.has_filter);
	good("-r x -u");
	assert_true(shared->options.has_filter);
	good("sockets");
	assert_int_equal(shared->options.wanted.protos, DEMUX_TCP | DEMUX_UDP);
	assert_false(shared->options.has_filter);
	good("sockets -u");
	assert_int_equal(shared->options.wanted.protos, DEMUX_UDP);
	assert_true(shared->options.has_filter);
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

static void test_netns_and_cgroup(void **state)
{
	char line[40];

	(void)state;
	good("--netns 4026531840");
	assert_int_equal(shared->options.wanted.netns, 4026531840u);
	assert_true(shared->options.has_filter);
	snprintf(line, sizeof(line), "--netns %d", (int)getpid());
	good(line);
	assert_in_range(shared->options.wanted.netns, 1u << 22, UINT32_MAX);
	bad("--netns no-such", "bad network namespace 'no-such': no network");
	bad("--netns a\x1b]b", "'a\\x1b]b'");
	bad("--netns 4026531840 --netns 4026531841", "only once");
	bad("--cgroup /no/such", "bad cgroup '/no/such': ");
	if (parse("--cgroup /") == 100) {
		assert_int_not_equal(shared->options.wanted.cgroup, 0);
		assert_true(shared->options.has_filter);
		bad("--cgroup / --cgroup /", "--cgroup can be given only once");
		bad("--cgroup / -r file", "does not say which cgroup");
		bad("demo --cgroup /", "takes no filter");
	}
	bad("demo --netns 4026531840", "takes no filter");
}

static void test_remote(void **state)
{
	const struct demux_config *wanted = &shared->options.wanted;

	(void)state;
	good("--remote 10.0.0.0/8:443");
	assert_true(shared->options.has_filter);
	assert_int_equal(wanted->remote_family, 4);
	assert_int_equal(wanted->remote_bits, 8);
	assert_int_equal(wanted->remote_port, 443);
	assert_int_equal(wanted->remote[0], 10);
	/* No other segment can come from there. */
	assert_int_equal(wanted->families, DEMUX_IPV4);
	good("--remote ::/0 -6");
	assert_int_equal(wanted->families, DEMUX_IPV6);
	good("-4 -6 --remote :443");
	assert_int_equal(wanted->families, DEMUX_IPV4 | DEMUX_IPV6);
	assert_true(shared->options.has_filter);
	bad("-6 --remote 10.1.2.3", "with -6 the remote end cannot be one of "
				    "IPv4");
	bad("--remote ::1 -4", "with -4 the remote end cannot be one of IPv6");
	bad("--remote localhost", "bad remote end 'localhost': it must be");
	bad("--remote 10.1.2.3/8", "that network is 10.0.0.0/8");
	bad("--remote :1 --remote :2", "--remote can be given only once");
	bad("demo --remote :443", "takes no filter");
}

static void test_command(void **state)
{
	(void)state;
	good("-- server");
	assert_string_equal(shared->command, "server|");
	assert_false(shared->options.has_filter || shared->options.task);
	good("-P 80 -j -- server -r x --help -- demo ''");
	assert_string_equal(shared->command, "server|-r|x|--help|--|demo||");
	assert_true(wants(80) && wanted_ports() == 1);
	assert_null(shared->options.replay);
	good("-- demo");
	assert_string_equal(shared->command, "demo|");
	assert_int_equal(shared->options.task, TASK_TRACE);
	bad("--", "after -- there is no command");
	bad("-P 80 --", "after -- there is no command");
	bad("server",
	    "'server' is no command: there are demo, doctor and sockets");
	bad("server -- server", "'server' is no command");
	bad("demo -- server", "takes no filter and no command");
	bad("-r file -- server", "'server' cannot run with -r");
	bad("-p 5 -- server", "-p and a command exclude each other");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_ports),
	cmocka_unit_test(test_bad_ports),
	cmocka_unit_test(test_protocols),
	cmocka_unit_test(test_families_and_pid),
	cmocka_unit_test(test_netns_and_cgroup),
	cmocka_unit_test(test_remote),
	cmocka_unit_test(test_command),
};

int main(void)
{
	return cmocka_run_group_tests_name("options_wanted", tests, map_shared,
					   NULL);
}
