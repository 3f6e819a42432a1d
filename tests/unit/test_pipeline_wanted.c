// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_pipeline_wanted.c - user/pipeline.c, what of a recording passes the
 * filters: the same that the kernel half would have let through.
 */
#include "test.h"

#include <fcntl.h>

#include "pipeline.h"

/* --- a recording, and a letter for each event that passes ---------------- */

static struct {
	struct source source;
	const void *records[20];
	size_t count;
} fake;

static int hand_over(struct source *source, source_take take, void *context)
{
	for (size_t i = 0; i < fake.count; i++) {
		const struct demux_head *head = fake.records[i];

		take(context, head, head->len);
	}
	source->ended = true;
	return 0;
}

static int finish(struct source *source, source_take take, void *context)
{
	(void)source;
	(void)take;
	(void)context;
	return 0;
}

static void close_fake(struct source *source)
{
	close(source->fd);
}

static char seen[100];
static struct summary summary;

/* Of a segment: its remote port. */
static void on_event(struct sink *sink, const struct event *event)
{
	static const char letters[] = "?salc$k-drbv";
	size_t used = strlen(seen);

	(void)sink;
	if (event->head->type == DEMUX_END)
		summary = *event->summary;
	else if (event->head->type == DEMUX_SEGMENT)
		snprintf(seen + used, sizeof(seen) - used, "%u",
			 event->segment->ends.rport);
	else
		snprintf(seen + used, sizeof(seen) - used, "%c",
			 letters[event->head->type]);
}

static const struct sink_type sink_fake = { "fake", NULL, on_event };

/* What passes of @records, whose last is NULL. */
static const char *pass(const struct demux_config *wanted,
			const void *const *records)
{
	struct pipeline pipeline = { .source = &fake.source, .wanted = wanted };

	memset(&fake, 0, sizeof(fake));
	memset(seen, 0, sizeof(seen));
	fake.source = (struct source){
		.head = make_head(),
		.fd = open("/dev/null", O_RDONLY),
		.read = hand_over,
		.finish = finish,
		.close = close_fake,
	};
	while (records[fake.count]) {
		fake.records[fake.count] = records[fake.count];
		fake.count++;
	}
	assert_int_equal(sink_open(&pipeline.sinks[0], &sink_fake, "/dev/null"),
			 0);
	pipeline.sink_count = 1;
	assert_int_equal(pipeline_run(&pipeline), 0);
	pipeline_close(&pipeline);
	return seen;
}

/* --- the tests ------------------------------------------------------------ */

#define OTHER_NETNS (MAKE_NETNS + 1)

/* Everything, until a test says otherwise. */
static struct demux_config all(void)
{
	return (struct demux_config){
		.any_port = 1,
		.families = DEMUX_IPV4 | DEMUX_IPV6,
	};
}

static struct demux_config port(unsigned int number)
{
	struct demux_config wanted = all();

	wanted.any_port = 0;
	wanted.ports[number / 8] |= 1 << number % 8;
	return wanted;
}

static struct demux_config family(unsigned int families)
{
	struct demux_config wanted = all();

	wanted.families = families;
	return wanted;
}

static struct demux_config netns(uint32_t inode)
{
	struct demux_config wanted = all();

	wanted.netns = inode;
	return wanted;
}

static struct demux_config remote(const char *addr, unsigned int bits,
				  uint16_t number)
{
	struct demux_config wanted = all();
	int is_v6 = addr && strchr(addr, ':');

	wanted.remote_port = number;
	wanted.remote_bits = bits;
	if (addr) {
		wanted.remote_family = is_v6 ? 6 : 4;
		inet_pton(is_v6 ? AF_INET6 : AF_INET, addr, wanted.remote);
	}
	return wanted;
}

/* Three segments to three sockets, and what became of the first of these. */
static void expect(struct demux_config wanted, const char *letters)
{
	struct demux_segment_more a =
		make_match(1, 101, make_ends("10.0.0.1", 80, "10.0.0.2", 1));
	struct demux_segment_more b =
		make_match(2, 102, make_ends("10.0.0.1", 81, "10.0.1.2", 2));
	struct demux_segment_more c =
		make_match(3, 103, make_ends("fd00::1", 80, "fd00::2", 3));
	struct demux_accept accepted =
		make_accept(4, 70, "w", 5, 0, a.segment.sock);
	struct demux_listen listens =
		make_listen(5, 70, "w", make_listener(9, "fd00::1", 81));
	struct demux_device rebound = make_device(5, a.segment.sock);
	struct demux_close closed =
		make_close(6, DEMUX_UNHASHED, a.segment.sock);
	struct demux_end last = make_end(9, 3, 0);
	const void *const records[] = { &a,        &b,       &c,
					&accepted, &listens, &rebound,
					&closed,   &last,    NULL };
	size_t segments = strcspn(letters, "alvc");

	c.segment.netns = c.segment.sock.netns = OTHER_NETNS;
	assert_string_equal(pass(&wanted, records), letters);
	assert_int_equal(summary.segments, segments);
	assert_int_equal(summary.filtered, 3 - segments);
	assert_int_equal(summary.is_proved, segments > 0);
}

static void test_ports_and_families(void **state)
{
	(void)state;
	expect(all(), "123alvc");
	expect(port(80), "13avc");
	expect(port(81), "2l");
	expect(port(82), "");
	expect(family(DEMUX_IPV4), "12avc");
	expect(family(DEMUX_IPV6), "3l");
}

static void test_netns(void **state)
{
	(void)state;
	expect(netns(MAKE_NETNS), "12alvc");
	expect(netns(OTHER_NETNS), "3");
	expect(netns(OTHER_NETNS + 1), "");
}

/* A listener may get anybody's. */
static void test_remote(void **state)
{
	(void)state;
	expect(remote(NULL, 0, 1), "1alvc");
	expect(remote(NULL, 0, 3), "3l");
	expect(remote("10.0.0.2", 32, 0), "1alvc");
	expect(remote("10.0.1.0", 24, 0), "2l");
	expect(remote("10.0.1.0", 24, 3), "l");
	expect(remote("10.0.0.0", 8, 0), "12alvc");
	expect(remote("fd00::", 16, 0), "3l");
	expect(remote("fd01::", 16, 0), "l");
}

/* Unknown is neither this network nor that. */
static void test_unknown_ends(void **state)
{
	struct demux_segment_more cut = make_segment(
		1, DEMUX_MALFORMED, make_ends("10.0.0.1", 0, "10.0.0.2", 0));
	struct demux_segment_more blind =
		make_match(2, 102, make_ends("0.0.0.0", 80, "0.0.0.0", 2));
	struct demux_end last = make_end(9, 2, 0);
	const void *const records[] = { &cut, &blind, &last, NULL };
	struct demux_config wanted = all();

	(void)state;
	cut.segment.have &= ~(DEMUX_HAVE_PORTS | DEMUX_HAVE_TCP);
	blind.segment.have &= ~DEMUX_HAVE_ADDRS;
	assert_string_equal(pass(&wanted, records), "02");
	wanted = remote("0.0.0.0", 0, 0);
	assert_string_equal(pass(&wanted, records), "0");
	wanted = remote(NULL, 0, 2);
	assert_string_equal(pass(&wanted, records), "2");
	wanted = port(80);
	assert_string_equal(pass(&wanted, records), "2");
}

static void test_pid(void **state)
{
	struct demux_segment_more a =
		make_match(1, 101, make_ends("10.0.0.1", 80, "10.0.0.2", 1));
	struct demux_segment_more b =
		make_match(2, 102, make_ends("10.0.0.1", 81, "10.0.0.2", 2));
	struct demux_segment_more later = a;
	struct demux_accept accepted =
		make_accept(4, 70, "w", 5, 0, a.segment.sock);
	struct demux_accept others =
		make_accept(5, 71, "v", 5, 0, b.segment.sock);
	struct demux_close closed =
		make_close(7, DEMUX_UNHASHED, a.segment.sock);
	struct demux_end last = make_end(9, 3, 0);
	const void *const records[] = { &a,     &accepted, &b,    &others,
					&later, &closed,   &last, NULL };
	struct demux_config wanted = all();

	(void)state;
	wanted.pid = 70;
	later.segment.head.mono_ns = 6;
	/* Before accept() it is nobody's yet, as it is for the kernel half. */
	assert_string_equal(pass(&wanted, records), "a1c");
	assert_int_equal(summary.filtered, 2);
}

static struct demux_sock member(uint64_t id)
{
	struct demux_sock sock =
		make_sock(id, S_CLOSE, make_ends("0.0.0.0", 80, "0.0.0.0", 0));

	sock.flags = DEMUX_SOCK_UDP;
	return sock;
}

static struct demux_datagram copy_of(uint64_t mono_ns, uint64_t id,
				     uint16_t number)
{
	struct demux_datagram copy = make_datagram(
		mono_ns, make_ends("224.0.0.9", 80, "10.0.0.2", 1), member(id));

	copy.outcome = DEMUX_MULTICAST;
	copy.copy = number;
	return copy;
}

/* A datagram is counted once, by whichever of its copies was asked for, and as
 * left out if none was. Another CPU's may come in between. */
static void test_copies_of_a_pid(void **state)
{
	struct demux_accept bound = make_before(1, 70, "w", 5, 0, member(1));
	struct demux_datagram a0 = copy_of(2, 2, 0), a1 = copy_of(2, 1, 1),
			      a2 = copy_of(2, 3, 2);
	struct demux_datagram b0 = copy_of(4, 2, 0), b1 = copy_of(4, 3, 1);
	struct demux_datagram c0 = copy_of(3, 1, 0);
	struct demux_end last = make_end(9, 0, 0);
	const void *const records[] = { &bound, &a0, &c0,   &a1, &a2,
					&b0,    &b1, &last, NULL };
	struct demux_config wanted = all();

	(void)state;
	c0.head.cpu = 1;
	last.head.len = sizeof(last);
	last.datagrams.seen = last.datagrams.told = 3;
	last.datagrams.emitted = 6;
	wanted.protos = DEMUX_UDP;
	pass(&wanted, records);
	assert_int_equal(summary.udp.datagrams, 3);
	assert_int_equal(summary.udp.filtered, 0);
	wanted.pid = 70;
	pass(&wanted, records);
	assert_int_equal(summary.udp.datagrams, 2);
	assert_int_equal(summary.udp.copies, 2);
	assert_int_equal(summary.udp.filtered, 1);
	assert_true(summary.is_proved);
}

/* What comes on the same CPU between two copies is another datagram, and takes
 * nothing from the count of theirs, asked for or not. */
static void test_one_inside_another(void **state)
{
	struct demux_accept one = make_before(1, 70, "w", 5, 0, member(1)),
			    two = make_before(1, 70, "w", 6, 0, member(2));
	struct demux_datagram ours = copy_of(2, 1, 0), ours2 = copy_of(2, 2, 1),
			      other = copy_of(2, 3, 0),
			      inner = copy_of(3, 3, 0),
			      inner2 = copy_of(3, 4, 1),
			      our_inner = copy_of(3, 1, 0);
	struct demux_end last = make_end(9, 0, 0);
	const void *const once[] = { &one,   &two,    &ours, &inner,
				     &ours2, &inner2, &last, NULL };
	const void *const both[] = { &one,   &two,  &other, &our_inner,
				     &ours2, &last, NULL };
	struct demux_config wanted = all();

	(void)state;
	wanted.protos = DEMUX_UDP;
	wanted.pid = 70;
	last.head.len = sizeof(last);
	last.datagrams.seen = last.datagrams.told = 2;
	last.datagrams.emitted = 4;
	pass(&wanted, once);
	assert_int_equal(summary.udp.datagrams, 1);
	assert_int_equal(summary.udp.copies, 2);
	assert_int_equal(summary.udp.filtered, 1);
	last.datagrams.emitted = 3;
	pass(&wanted, both);
	assert_int_equal(summary.udp.datagrams, 2);
	assert_int_equal(summary.udp.copies, 2);
	assert_int_equal(summary.udp.filtered, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_ports_and_families),
	cmocka_unit_test(test_netns),
	cmocka_unit_test(test_remote),
	cmocka_unit_test(test_unknown_ends),
	cmocka_unit_test(test_pid),
	cmocka_unit_test(test_copies_of_a_pid),
	cmocka_unit_test(test_one_inside_another),
};

RUN("pipeline_wanted", tests)
