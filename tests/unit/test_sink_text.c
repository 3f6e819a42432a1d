// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_sink_text.c - user/sink_text.c and user/text_summary.c: which of the
 * sockets that were there before, and of the ports, get a line. The lines
 * themselves are in tests/golden.
 */
#include "test.h"

#include <unistd.h>

#include "proof.h"
#include "sink.h"
#include "text_colour.h"
#include "text_summary.h"

static struct model model;
static struct sink sink;
static struct recording_head head;
static char path[32], text[1 << 16];

static int begin(void **state)
{
	(void)state;
	model_init(&model);
	head = make_head();
	make_file(path, "", 0);
	if (sink_open(&sink, &sink_text, path))
		return -1;
	sink_text.begin(&sink, &head);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	model_free(&model);
	return 0;
}

static void show(const void *record)
{
	struct event event = feed(&model, record);

	event.trace = &head;
	event.verdict = VERDICT_PROVED;
	sink_text.event(&sink, &event);
}

static void before(uint64_t id, uint32_t pid, uint8_t tcp_state)
{
	struct demux_ends ends =
		make_ends("10.0.0.1", 80, "10.0.0.2", 1000 + id);
	struct demux_accept record =
		make_before(id, pid, "web", 3, 0,
			    tcp_state == S_LISTEN ?
				    make_listener(id, "0.0.0.0", 1000 + id) :
				    make_sock(id, tcp_state, ends));

	show(&record);
}

static void any_other(void)
{
	struct demux_listen listen =
		make_listen(900, 7, "new", make_listener(900, "::", 9));

	show(&listen);
}

/* What came out; the sink is closed then. */
static int count_lines(const char *what)
{
	int count = 0;

	sink_close(&sink);
	text[read_file(path, text, sizeof(text) - 1)] = '\0';
	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void test_listeners_alone(void **state)
{
	(void)state;
	before(1, 7, S_LISTEN);
	before(1, 8, S_LISTEN);
	for (int i = 2; i < 5; i++) {
		before(i, 7, S_ESTABLISHED);
		before(i, 8, S_ESTABLISHED); /* the same socket */
	}
	any_other();
	any_other();
	assert_int_equal(count_lines("socket  "), 2);
	assert_contains(text, "web[8] fd 3 owners 2\n");
	assert_contains(text, "\n                3 more sockets were there "
			      "before\n");
	assert_true(strstr(text, "more") < strstr(text, "listen "));
}

static void test_all_of_few(void **state)
{
	(void)state;
	sink.all_sockets = true;
	for (int i = 1; i < 5; i++)
		before(i, 7, S_ESTABLISHED);
	any_other();
	assert_int_equal(count_lines("socket  "), 4);
	assert_lacks(text, "more");
}

static void test_not_too_many(void **state)
{
	(void)state;
	sink.all_sockets = true;
	for (int i = 1; i <= 51; i++)
		before(i, 7, i & 1 ? S_ESTABLISHED : S_LISTEN);
	any_other();
	assert_int_equal(count_lines("socket  "), 50);
	assert_contains(text, " 1 more socket was there before\n");
}

static void test_quiet(void **state)
{
	(void)state;
	sink.quiet = true;
	before(1, 7, S_LISTEN);
	before(2, 7, S_ESTABLISHED);
	any_other();
	assert_int_equal(count_lines("\n"), 0);
	assert_string_equal(text, "");
}

static void test_device(void **state)
{
	struct demux_device device = make_device(
		1, make_sock(9, S_ESTABLISHED,
			     make_ends("10.0.0.1", 80, "10.0.0.2", 4000)));

	(void)state;
	show(&device);
	device.sock.ifindex = 3;
	show(&device);
	assert_int_equal(count_lines("device  "), 2);
	assert_contains(text, " 10.0.0.1:80         bound to 0\n");
	assert_contains(text, " 10.0.0.1%3:80       bound to 3\n");
}

/* A descriptor may be any number in a recording. A remote port 0 is any of a UDP
 * socket's peer, and else there is no peer. */
static void test_odd_sockets(void **state)
{
	struct demux_sock udp =
		make_sock(8, S_CLOSE, make_ends("10.0.0.1", 53, "10.0.0.2", 0));
	struct demux_accept record = make_before(
		1, 7, "web", -12, 0,
		make_sock(9, S_ESTABLISHED,
			  make_ends("10.0.0.1", 80, "10.0.0.2", 0)));
	struct demux_segment_more more =
		make_match(2, 9, make_ends("10.0.0.1", 0, "10.0.0.2", 0));

	(void)state;
	sink.all_sockets = true;
	show(&record);
	udp.flags = DEMUX_SOCK_UDP;
	record.sock = udp;
	show(&record);
	more.segment.sock.ifindex = 3;
	show(&more);
	more.segment.have &= ~DEMUX_HAVE_PORTS;
	show(&more);
	count_lines("\n");
	assert_contains(text, " *:*                 10.0.0.1:80 ");
	assert_contains(text, "web[7] fd -12");
	assert_contains(text, " 10.0.0.2:*          10.0.0.1:53 ");
	assert_contains(text, " 10.0.0.2:0          10.0.0.1:0 ");
	assert_contains(text, " 10.0.0.2:?          10.0.0.1:? ");
}

static const char *colour(const void *record, enum verdict verdict)
{
	struct event event = feed(&model, record);

	event.verdict = verdict;
	return text_colour(&event);
}

#define GREEN  "\033[32m"
#define CYAN   "\033[36m"
#define YELLOW "\033[33m"
#define PURPLE "\033[35m"
#define RED    "\033[31m"
#define LOUD   "\033[1;31m"

static void test_colours(void **state)
{
	static const char *const outcomes[] = { "",     GREEN, CYAN, YELLOW,
						PURPLE, RED,   RED,  RED };
	static const char *const datagram_outcomes[] = { "",     GREEN, CYAN,
							 PURPLE, RED,   RED,
							 RED };
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	struct demux_segment_more more = make_match(1, 9, ends);
	struct demux_sock udp = make_sock(8, S_ESTABLISHED, ends);
	struct demux_datagram datagram;
	struct demux_device device = make_device(1, more.segment.sock);

	(void)state;
	udp.flags = DEMUX_SOCK_UDP;
	datagram = make_datagram(1, ends, udp);
	assert_string_equal(colour(&device, 0), "\033[1m");
	assert_string_equal(colour(&more, VERDICT_UNEXPLAINED), LOUD);
	assert_string_equal(colour(&datagram, VERDICT_UNEXPLAINED), LOUD);
	for (int i = DEMUX_ESTABLISHED; i <= DEMUX_MALFORMED; i++) {
		more = make_segment(1, i, ends);
		assert_string_equal(colour(&more, VERDICT_PROVED), outcomes[i]);
	}
	for (int i = DEMUX_CONNECTED; i <= DEMUX_BAD_DATAGRAM; i++) {
		datagram.outcome = i;
		assert_string_equal(colour(&datagram, VERDICT_PROVED),
				    datagram_outcomes[i]);
	}
	more.segment.have &= ~DEMUX_HAVE_OUTCOME;
	more.segment.outcome = 0;
	assert_string_equal(colour(&more, VERDICT_PROVED), LOUD);
}

static void client_gets(uint16_t lport, unsigned int peers)
{
	struct demux_ends ends = make_ends("10.0.0.1", lport, "10.0.0.2", 80);

	for (unsigned int i = 0; i < peers; i++) {
		struct demux_accept record;
		struct demux_segment_more more;

		ends.rport++;
		record = make_before(1, 7, "web", 3, 0,
				     make_sock(lport + i, S_ESTABLISHED, ends));
		more = make_match(2, lport + i, ends);
		show(&record);
		show(&more);
	}
}

/* Ports of servers that something came to have a line each. */
static void test_ports(void **state)
{
	struct summary summary = { .head = &head };

	(void)state;
	for (int i = 1; i <= 6; i++)
		before(i, 7, S_LISTEN); /* and nothing comes to it */
	client_gets(30000, 1);
	client_gets(40000, 3);
	summary.ports = ports_sorted(&model.ports, &summary.port_count);
	text_summary(&sink.out, &summary);
	free(summary.ports);
	assert_int_equal(count_lines("\nport "), 0);
	assert_contains(text, "\n2 more ports\n");
	assert_contains(text, "\n6 more ports without a segment\n");
}

static void test_client_ports(void **state)
{
	struct summary summary = { .head = &head };

	(void)state;
	before(1, 7, S_LISTEN);
	for (int i = 0; i < 5; i++)
		client_gets(30000 + 10 * i, 1);
	summary.ports = ports_sorted(&model.ports, &summary.port_count);
	text_summary(&sink.out, &summary);
	free(summary.ports);
	assert_int_equal(count_lines("\nport "), 0);
	assert_contains(text, "\n5 more ports, of one socket each\n");
	assert_contains(text, "\n1 more port without a segment\n");
}

/* One client port, at two addresses of the server; and later once more. */
static void test_local_addresses(void **state)
{
	struct summary summary = { .head = &head };
	const char *laddrs[] = { "10.0.0.1", "10.0.0.3", "10.0.0.3" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct demux_segment_more more = make_match(
			1, 1 + i, make_ends(laddrs[i], 80, "10.0.0.2", 4000));

		show(&more);
	}
	summary.ports = ports_sorted(&model.ports, &summary.port_count);
	text_summary(&sink.out, &summary);
	free(summary.ports);
	assert_int_equal(count_lines("\nport "), 1);
	assert_contains(text, "3 sockets share this one local port, told apart "
			      "by 1 remote endpoint, local address and by "
			      "time;");
}

static const struct CMUnitTest tests[] = {
	TEST(test_listeners_alone), TEST(test_all_of_few),
	TEST(test_not_too_many),    TEST(test_device),
	TEST(test_quiet),           TEST(test_ports),
	TEST(test_client_ports),    TEST(test_local_addresses),
	TEST(test_odd_sockets),     TEST(test_colours),
};

RUN("sink_text", tests)
