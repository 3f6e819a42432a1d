// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_conns.c - user/conns.c: sequence numbers relative to where each
 * connection began.
 */
#include "test.h"

#include "conns.h"

#define SYN_SENT 2

static struct conns conns;
static struct demux_segment_more more;
static bool open_now;

static int begin(void **state)
{
	(void)state;
	conns = (struct conns){ 0 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	conns_free(&conns);
	return 0;
}

static struct demux_ends here(uint16_t rport)
{
	return make_ends("10.0.0.1", 80, "10.0.0.2", rport);
}

/* The next segment is this one. */
static struct demux_segment *segment(uint8_t outcome, struct demux_ends ends,
				     unsigned int flags, uint32_t seq,
				     uint32_t ack)
{
	more = make_segment(1000, outcome, ends);
	more.segment.flags = flags;
	more.segment.seq = seq;
	more.segment.ack = ack;
	return &more.segment;
}

/* "seq ack", "-" where one is unknown. */
static const char *note(const struct demux_segment *seg)
{
	static char text[40];
	struct event_numbers numbers;
	char ack[20] = "-";

	assert_int_equal(conns_note(&conns, seg, &numbers), 0);
	if (numbers.has_ack)
		snprintf(ack, sizeof(ack), "%u", numbers.ack);
	if (numbers.has_seq)
		snprintf(text, sizeof(text), "%u %s", numbers.seq, ack);
	else
		snprintf(text, sizeof(text), "- %s", ack);
	return text;
}

#define SHOWS(text, ...) assert_string_equal(note(segment(__VA_ARGS__)), text)

/* What a server gets: its own SYN|ACK is not seen, but what acknowledges it. */
static void test_server(void **state)
{
	struct demux_ends ends = here(1000);

	(void)state;
	SHOWS("0 -", DEMUX_LISTENER, ends, F_SYN, 5000, 0);
	SHOWS("0 -", DEMUX_REQUEST, ends, F_SYN, 5000, 0);
	SHOWS("1 1", DEMUX_REQUEST, ends, F_ACK, 5001, 901);
	SHOWS("1 1", DEMUX_ESTABLISHED, ends, F_PSH | F_ACK, 5001, 901);
	SHOWS("14 14", DEMUX_ESTABLISHED, ends, F_FIN | F_ACK, 5014, 914);
	SHOWS("15 15", DEMUX_TIME_WAIT, ends, F_ACK, 5015, 915);
	SHOWS("15 -", DEMUX_ESTABLISHED, ends, F_RST, 5015, 0);
}

/* What a segment with a wrong acknowledgement showed is mended by the right. */
static void test_bad_ack(void **state)
{
	struct demux_ends ends = here(1000);
	struct demux_segment *seg;

	(void)state;
	SHOWS("0 -", DEMUX_LISTENER, ends, F_SYN, 5000, 0);
	SHOWS("1 1", DEMUX_REQUEST, ends, F_ACK, 5001, 77);
	seg = segment(DEMUX_REQUEST, ends, F_ACK, 5001, 901);
	seg->have |= DEMUX_HAVE_CHILD;
	assert_string_equal(note(seg), "1 1");
	SHOWS("1 14", DEMUX_ESTABLISHED, ends, F_ACK, 5001, 914);
}

/* So is what a wrong SYN|ACK showed, which the client answers with a reset. */
static void test_bad_synack(void **state)
{
	struct demux_ends ends = here(1000);
	struct demux_segment *seg;

	(void)state;
	seg = segment(DEMUX_ESTABLISHED, ends, F_SYN | F_ACK, 5000, 77);
	seg->sock.state = SYN_SENT;
	seg->notes |= DEMUX_NOTE_RESET;
	note(seg);
	/* Nor is the next wrong one a measure. */
	seg->ack = 78;
	assert_string_equal(note(seg), "0 2");
	seg = segment(DEMUX_ESTABLISHED, ends, F_SYN | F_ACK, 5000, 901);
	seg->sock.state = SYN_SENT;
	assert_string_equal(note(seg), "0 1");
	SHOWS("1 14", DEMUX_ESTABLISHED, ends, F_ACK, 5001, 914);
}

static void test_client(void **state)
{
	struct demux_ends ends = here(1000);
	struct demux_segment *seg =
		segment(DEMUX_ESTABLISHED, ends, F_SYN | F_ACK, UINT32_MAX, 42);

	(void)state;
	seg->sock.state = SYN_SENT;
	assert_string_equal(note(seg), "0 1");
	/* The numbers wrap. */
	SHOWS("1 1", DEMUX_ESTABLISHED, ends, F_ACK, 0, 42);
	SHOWS("101 7", DEMUX_ESTABLISHED, ends, F_ACK, 100, 48);
}

/* Both ends in one namespace: each direction knows the other's SYN. */
static void test_loopback(void **state)
{
	struct demux_ends server = make_ends("::1", 80, "::1", 1000);
	struct demux_ends client = make_ends("::1", 1000, "::1", 80);

	(void)state;
	SHOWS("0 -", DEMUX_LISTENER, server, F_SYN, 5000, 0);
	SHOWS("0 1", DEMUX_ESTABLISHED, client, F_SYN | F_ACK, 900, 5001);
	/* Acknowledges data too, so what comes before counts. */
	SHOWS("1 11", DEMUX_REQUEST, server, F_ACK, 5001, 911);
	/* As Fast Open has it: the SYN brought data. */
	SHOWS("11 21", DEMUX_ESTABLISHED, client, F_ACK, 911, 5021);
}

static void test_older_connection(void **state)
{
	struct demux_ends server = make_ends("::1", 80, "::1", 1000);
	struct demux_ends client = make_ends("::1", 1000, "::1", 80);

	(void)state;
	SHOWS("1 1", DEMUX_ESTABLISHED, server, F_ACK, 7000, 3000);
	SHOWS("6 11", DEMUX_ESTABLISHED, server, F_ACK, 7005, 3010);
	SHOWS("11 6", DEMUX_ESTABLISHED, client, F_ACK, 3010, 7005);
	/* A keepalive probe has the number before. */
	SHOWS("0 1", DEMUX_ESTABLISHED, server, F_ACK, 6999, 3000);
}

static void test_another_connection(void **state)
{
	struct demux_ends ends = here(1000);
	struct demux_segment *seg;

	(void)state;
	SHOWS("0 -", DEMUX_LISTENER, ends, F_SYN, 5000, 0);
	SHOWS("1 1", DEMUX_REQUEST, ends, F_ACK, 5001, 901);
	/* Somebody's guess, which the kernel only answers. */
	SHOWS("4294962297 -", DEMUX_ESTABLISHED, ends, F_SYN, 1, 0);
	SHOWS("4294962297 -", DEMUX_TIME_WAIT, ends, F_SYN, 1, 0);
	SHOWS("1 1", DEMUX_ESTABLISHED, ends, F_ACK, 5001, 901);
	seg = segment(DEMUX_TIME_WAIT, ends, F_SYN, 70000, 0);
	seg->have |= DEMUX_HAVE_PARENT;
	assert_string_equal(note(seg), "0 -");
	SHOWS("1 1", DEMUX_REQUEST, ends, F_ACK, 70001, 800);
	SHOWS("0 -", DEMUX_LISTENER, ends, F_SYN, 90000, 0);
	SHOWS("1 1", DEMUX_LISTENER, ends, F_ACK, 90001, 700);
}

static void test_apart(void **state)
{
	struct demux_segment *seg;

	(void)state;
	SHOWS("0 -", DEMUX_LISTENER, here(1000), F_SYN, 5000, 0);
	SHOWS("1 1", DEMUX_ESTABLISHED, here(1001), F_ACK, 6000, 600);
	seg = segment(DEMUX_ESTABLISHED, here(1000), F_ACK, 7000, 700);
	seg->netns++;
	assert_string_equal(note(seg), "1 1");
	SHOWS("1 1", DEMUX_REQUEST, here(1000), F_ACK, 5001, 901);
	assert_int_equal(conns.table.count, 3);
}

static void test_nobody(void **state)
{
	struct demux_segment *seg;

	(void)state;
	SHOWS("0 -", DEMUX_NONE, here(1000), F_SYN, 5000, 0);
	SHOWS("- -", DEMUX_NONE, here(1000), F_ACK, 5000, 1);
	SHOWS("- -", DEMUX_MALFORMED, here(1000), F_ACK, 5000, 1);
	seg = segment(DEMUX_ESTABLISHED, here(1000), F_ACK, 5000, 1);
	seg->have &= ~DEMUX_HAVE_TCP;
	assert_string_equal(note(seg), "- -");
	assert_int_equal(conns.table.count, 0);
	SHOWS("1 1", DEMUX_ESTABLISHED, here(1000), F_ACK, 5000, 1);
	SHOWS("2 2", DEMUX_NONE, here(1000), F_ACK, 5001, 2);
}

static bool is_open(void *context, const struct demux_ends *ends,
		    uint32_t netns)
{
	assert_ptr_equal(context, &open_now);
	assert_int_equal(ends->lport, 80);
	assert_int_equal(netns, MAKE_NETNS);
	return open_now;
}

static void test_sweep(void **state)
{
	(void)state;
	note(segment(DEMUX_ESTABLISHED, here(1000), F_ACK, 5000, 1));
	open_now = true;
	conns_sweep(&conns, 1001, is_open, &open_now);
	assert_int_equal(conns.table.count, 1);
	open_now = false;
	conns_sweep(&conns, 1000, is_open, &open_now);
	assert_int_equal(conns.table.count, 1);
	conns_sweep(&conns, 1001, is_open, &open_now);
	assert_int_equal(conns.table.count, 0);
}

static const struct CMUnitTest tests[] = {
	TEST(test_server),
	TEST(test_bad_ack),
	TEST(test_bad_synack),
	TEST(test_client),
	TEST(test_loopback),
	TEST(test_older_connection),
	TEST(test_another_connection),
	TEST(test_apart),
	TEST(test_nobody),
	TEST(test_sweep),
};

RUN("conns", tests)
