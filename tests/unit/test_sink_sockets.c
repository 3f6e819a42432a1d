// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_sink_sockets.c - user/sink_sockets.c and user/sockets_row.c: which
 * sockets are in the list, whose they are, and what was counted. The look of
 * the lines is in tests/golden.
 */
#include "test.h"

#include <unistd.h>

#include "proof.h"
#include "sink.h"
#include "users.h"

static struct model model;
static struct summary summary;
static struct recording_head head;
static uint64_t now_ns;

static int begin(void **state)
{
	(void)state;
	model_init(&model);
	model.keeps_all = true;
	summary = (struct summary){ 0 };
	head = make_head();
	now_ns = 1000;
	return 0;
}

static int end(void **state)
{
	(void)state;
	model_free(&model);
	return 0;
}

/* The list as it is now; stays until the next call. */
static const char *list(const struct sink_type *type)
{
	static char text[1 << 16];
	const struct demux_head last = { .type = DEMUX_END };
	struct event event = { .trace = &head,
			       .head = &last,
			       .summary = &summary,
			       .model = &model };
	struct sink sink;
	char path[32];

	make_file(path, "", 0);
	assert_int_equal(sink_open(&sink, type, path), 0);
	if (type->begin)
		type->begin(&sink, &head);
	type->event(&sink, &event);
	sink_close(&sink);
	text[read_file(path, text, sizeof(text) - 1)] = '\0';
	unlink(path);
	return text;
}

static int lines(const char *text)
{
	int count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

static struct demux_ends client(uint16_t port)
{
	return make_ends("10.0.0.1", 80, "10.0.0.2", port);
}

static struct demux_sock open_one(uint64_t id)
{
	return make_sock(id, S_ESTABLISHED, client(5000 + id));
}

static void told(uint32_t pid, int fd, struct demux_sock sock, uint32_t bits)
{
	struct demux_accept record =
		make_before(now_ns++, pid, "web", fd, 0, sock);

	record.have |= bits;
	feed(&model, &record);
}

static void closed(uint64_t id, uint32_t how)
{
	struct demux_sock sock = open_one(id);
	struct demux_close record;

	sock.state = S_CLOSE;
	record = make_close(now_ns++, how, sock);
	feed(&model, &record);
}

static void payload(uint64_t id, uint32_t bytes)
{
	struct demux_segment_more more =
		make_match(now_ns++, id, client(5000 + id));

	more.segment.payload = bytes;
	feed(&model, &more);
}

/* --- tests ------------------------------------------------------------------ */

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(lines(list(&sink_sockets_text)), 1);
	assert_string_equal(list(&sink_sockets_json), "");
}

/* Two processes, one of which has it twice: one line of text, three of JSON. */
static void test_shared(void **state)
{
	(void)state;
	told(7, 3, open_one(1), 0);
	told(7, 4, open_one(1), 0);
	told(8, 3, open_one(1), 0);
	told(8, 3, open_one(1), 0); /* the same again */
	assert_int_equal(lines(list(&sink_sockets_text)), 2);
	assert_contains(list(&sink_sockets_text),
			"web[7] fd 3,4, web[8] fd 3\n");
	assert_int_equal(lines(list(&sink_sockets_json)), 3);
	assert_contains(list(&sink_sockets_json), "\"pid\":8");
	assert_contains(list(&sink_sockets_json), "\"owners\":2");
}

/* A trace has counted; a look at what there is has not. */
static void test_counts(void **state)
{
	(void)state;
	told(7, 3, open_one(1), 0);
	payload(1, 100);
	payload(1, 23);
	assert_contains(list(&sink_sockets_text), "SEGMENTS BYTES");
	assert_contains(list(&sink_sockets_json),
			"\"segments\":2,\"bytes\":123");
	assert_lacks(list(&sink_sockets_json), "\"cpu\"");
	*head.backend = '\0';
	assert_lacks(list(&sink_sockets_text), "SEGMENTS");
	assert_lacks(list(&sink_sockets_json), "\"segments\"");
	assert_lacks(list(&sink_sockets_json), "\"bytes\"");
}

/* What a filter dropped did not come to the socket. */
static void test_refused_payload(void **state)
{
	struct demux_segment_more more = make_match(now_ns, 1, client(5001));

	(void)state;
	more.segment.outcome = DEMUX_REFUSED;
	more.segment.payload = 50;
	feed(&model, &more);
	assert_contains(list(&sink_sockets_json), "\"bytes\":0");
}

/* Data may come with the ACK that ends the handshake. */
static void test_payload_of_birth(void **state)
{
	struct demux_segment_more more =
		make_segment(now_ns, DEMUX_REQUEST, client(5001));

	(void)state;
	give_sock(&more, make_sock(3, S_NEW_SYN_RECV, client(5001)));
	give_parent(&more, make_listener(2, "0.0.0.0", 80));
	give_child(&more, make_sock(1, S_SYN_RECV, client(5001)));
	more.segment.payload = 50;
	feed(&model, &more);
	/* The listener and the child; the request is no more. */
	assert_int_equal(lines(list(&sink_sockets_json)), 2);
	assert_contains(list(&sink_sockets_json), "\"bytes\":50");
}

/* It stays in the list long after its memory was given back. */
static void test_closed(void **state)
{
	struct demux_close unconnected = make_close(
		1, DEMUX_UNHASHED,
		make_sock(9, S_CLOSE, make_ends("0.0.0.0", 90, "0.0.0.0", 0)));

	(void)state;
	/* What was never connected has no row. */
	feed(&model, &unconnected);
	told(7, 3, open_one(1), 0);
	payload(1, 10);
	closed(1, DEMUX_UNHASHED);
	closed(1, DEMUX_DESTROYED);
	now_ns += 10000000000ull;
	told(7, 3, open_one(2), 0);
	told(7, 9, make_sock(1, S_ESTABLISHED, client(6000)), 0);
	assert_int_equal(lines(list(&sink_sockets_json)), 3);
	assert_contains(list(&sink_sockets_json), "\"sock_state\":\"CLOSE\"");
	assert_contains(list(&sink_sockets_json), "\"bytes\":10");
}

/* A look at the end: who has it now, and which remains are there still. */
static void test_at_the_end(void **state)
{
	(void)state;
	told(7, 3, open_one(1), 0);
	told(0, 0, make_sock(5, S_TIME_WAIT, client(5005)), 0);
	told(0, 0, make_sock(6, S_TIME_WAIT, client(5006)), 0);
	told(8, 4, make_sock(1, S_SYN_RECV + 5, client(5001)), DEMUX_AT_END);
	told(0, 0, make_sock(6, S_TIME_WAIT, client(5006)), DEMUX_AT_END);
	assert_int_equal(lines(list(&sink_sockets_json)), 2);
	assert_contains(list(&sink_sockets_json), "CLOSE_WAIT");
	assert_contains(list(&sink_sockets_json), "\"pid\":8");
	assert_lacks(list(&sink_sockets_json), "\"pid\":7");
	assert_lacks(list(&sink_sockets_json), "owners");
	assert_contains(list(&sink_sockets_json), "5006");
	assert_lacks(list(&sink_sockets_json), "5005");
}

/* UDP has states and ports of its own; what came to it was not counted. */
static void test_udp(void **state)
{
	struct demux_sock sock =
		make_sock(4, S_CLOSE, make_ends("10.0.0.1", 53, "0.0.0.0", 0));

	(void)state;
	sock.flags = DEMUX_SOCK_UDP;
	told(7, 3, sock, 0);
	sock = open_one(5);
	sock.flags = DEMUX_SOCK_UDP;
	told(7, 4, sock, 0);
	assert_contains(list(&sink_sockets_json), "UNCONNECTED");
	assert_contains(list(&sink_sockets_json), "\"proto\":\"udp\"");
	assert_lacks(list(&sink_sockets_json), "\"segments\"");
	assert_contains(list(&sink_sockets_text), "udp   CONNECTED");
	assert_contains(list(&sink_sockets_text), " 10.0.0.2:5005 ");
	/* To any port of a host. */
	sock.id = 6;
	sock.ends.rport = 0;
	told(7, 5, sock, 0);
	assert_contains(list(&sink_sockets_text), " 10.0.0.2:* ");
	assert_null(ports_sorted(&model.ports, &(size_t){ 0 }));
}

/* Names are this machine's, and bytes of a command's may be anything. */
static void test_names(void **state)
{
	struct demux_accept record =
		make_before(1, 7, "\033[2J\n", 3, 0, open_one(1));

	(void)state;
	record.uid = 0;
	feed(&model, &record);
	assert_lacks(list(&sink_sockets_json), "\"user\"");
	users_load();
	assert_contains(list(&sink_sockets_json), "\"user\":\"root\"");
	assert_contains(list(&sink_sockets_text),
			" root \\x1b[2J\\x0a[7] fd 3");
	assert_lacks(list(&sink_sockets_text), "\033");
	users_free();
}

static void test_doubts(void **state)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	const char *said;

	(void)state;
	summary.lost = 2;
	summary.skipped = 1;
	list(&sink_sockets_text);
	said = capture_end(&capture);
	assert_contains(said, "3 segments were lost");
}

static const struct CMUnitTest tests[] = {
	TEST(test_nothing),
	TEST(test_shared),
	TEST(test_counts),
	TEST(test_refused_payload),
	TEST(test_payload_of_birth),
	TEST(test_closed),
	TEST(test_at_the_end),
	TEST(test_udp),
	TEST(test_names),
	TEST(test_doubts),
};

RUN("sink_sockets", tests)
