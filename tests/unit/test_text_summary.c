// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_text_summary.c - user/text_summary.c: which line is there, and when.
 * tests/golden has what the ports of real traces come to.
 */
#include "test.h"

#include "proof.h"
#include "text_summary.h"

#define PORTS_MAX 30

static struct recording_head head;
static struct summary summary;
static struct port made[PORTS_MAX];
static struct port *rows[PORTS_MAX];
static char text[1 << 14];

/* Ports of servers, each of which two clients sent one segment to. */
static void make_ports(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		made[i] = (struct port){
			.port = 1000 + i,
			.listeners = 1,
			.sockets = 2,
			.segments = 2,
			.matched = 2,
			.remote_ends = 2,
			.peers = { .count = 2 },
		};
		rows[i] = &made[i];
	}
	summary.ports = rows;
	summary.port_count = count;
}

static int begin(void **state)
{
	(void)state;
	head = make_head();
	summary = (struct summary){
		.segments = 1,
		.complete = true,
		.is_proved = true,
		.head = &head,
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	return 0;
}

static void show(void)
{
	struct out out;
	char path[32];

	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	text_summary(&out, &summary);
	out_close(&out);
	text[read_file(path, text, sizeof(text) - 1)] = '\0';
	unlink(path);
}

static void has(const char *what)
{
	show();
	assert_contains(text, what);
}

static void has_not(const char *what)
{
	show();
	assert_lacks(text, what);
}

static void test_head(void **state)
{
	(void)state;
	has("1 segment, 0 filtered out, 0 lost, 0 skipped; 0 accepted\n"
	    "kernel 6.12.0-test, backend fentry\nPROVED: ");
	strcpy(head.coverage, "napi_poll");
	has("backend fentry\nhooks not there: napi_poll\nPROVED: ");
	strcpy(head.observed, "not seen: via\033");
	has("napi_poll\nnot seen: via\\x1b\nPROVED: ");
	memset(head.observed, '\033', sizeof(head.observed));
	show();
	assert_int_equal(strspn(strchr(strstr(text, "napi"), '\n') + 1,
				"\\x1b"),
			 4 * sizeof(head.observed));
}

static void test_udp_counts(void **state)
{
	(void)state;
	summary.udp.is_there = true;
	has("\n1 segment, ");
	has("\n0 datagrams, 0 records of who got them\n");
	summary.udp.complete = true;
	has(" got them, 0 filtered out, 0 lost, 0 skipped\n");
	summary.segments = 0;
	has_not("segment");
	summary.filtered = 1;
	has("\n0 segments, 1 filtered out,");
	summary.filtered = 0;
	summary.skipped = 1;
	has("\n0 segments, 0 filtered out, 0 lost, 1 skipped");
	summary.skipped = 0;
	summary.udp.is_there = false;
	has("\n0 segments, ");
}

static void test_told_apart(void **state)
{
	(void)state;
	make_ports(1);
	has("port 1000: 1 listener, 2 sockets share this one local port, told "
	    "apart by 2 remote endpoints;\n  2 segments, 2 matched, 0 "
	    "misdelivered\n  each of the 2 was reached only by segments from its "
	    "own remote endpoint\n");
	made[0].by_device = true;
	has("by 2 remote endpoints and by device;\n");
	made[0].by_laddr = true;
	made[0].sockets = 3;
	has("by 2 remote endpoints, local address, device and by time;\n");
	made[0].peers_full = true;
	has("3 sockets share this one local port;\n  2 segments");
}

static void test_reached(void **state)
{
	const char *reached = "was reached only by";

	(void)state;
	make_ports(1);
	has(reached);
	made[0].explained = 1;
	has_not(reached);
	made[0].explained = 0;
	made[0].misdelivered = 1;
	has_not(reached);
	made[0].misdelivered = 0;
	made[0].sockets = 1;
	has_not(reached);
	made[0].sockets = 2;
	summary.is_proved = false;
	has_not(reached);
}

static bool has_line(void)
{
	show();
	return strstr(text, "\nport 1000:");
}

static void test_worth_a_line(void **state)
{
	(void)state;
	make_ports(4);
	made[0].listeners = 0;
	made[0].older = 1;
	assert_true(has_line());
	make_ports(5);
	assert_true(has_line());
	made[0].older = 1;
	assert_true(has_line());
	made[0].listeners = 0; /* one client's, and one from before */
	assert_false(has_line());
	assert_contains(text, "\n1 more port\n");
	made[0].older = 0;
	assert_true(has_line());
	made[0].older = 1;
	made[0].misdelivered = 1;
	assert_true(has_line());
	made[0].misdelivered = 0;
	made[0].sockets = 0;
	assert_true(has_line());
	made[0].segments = 0;
	assert_false(has_line());
	assert_contains(text, "\n1 more port without a segment\n");
}

static void test_many_ports(void **state)
{
	(void)state;
	make_ports(20);
	has("port 1019:");
	has_not("more port");
	make_ports(23);
	made[1].segments = 0;
	has("port 1020:");
	assert_lacks(text, "port 1021:");
	assert_contains(text, "\n2 more ports\n1 more port without");
}

static void test_many_udp_ports(void **state)
{
	(void)state;
	make_ports(22);
	summary.port_count = 0;
	summary.udp_ports = rows;
	summary.udp_port_count = 20;
	has("port 1019 of UDP: 2 sockets; 2 datagrams, 2 matched, 0 copies, 0 "
	    "misdelivered\nPROVED");
	summary.udp_port_count = 22;
	has("port 1019 of UDP:");
	assert_lacks(text, "port 1020");
	assert_contains(text, "misdelivered\n2 more ports of UDP\nPROVED");
	made[0].segments = made[1].segments = made[2].segments = 0;
	has("port 1021 of UDP:");
	assert_lacks(text, "port 1002 ");
	assert_contains(text,
			"\n3 more ports of UDP without a datagram\nPROVED");
}

static const struct CMUnitTest tests[] = {
	TEST(test_head),           TEST(test_udp_counts),
	TEST(test_told_apart),     TEST(test_reached),
	TEST(test_worth_a_line),   TEST(test_many_ports),
	TEST(test_many_udp_ports),
};

RUN("text_summary", tests)
