// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_fields_datagram.c - user/fields_datagram.c: the columns of datagrams.
 */
#include "shown.h"

static struct demux_datagram datagram;

static void is(const char *key, const char *expected)
{
	struct event event = event_of(&datagram);

	assert_string_equal(get(key, &event), expected);
}

static void are(const char *size, const char *index, const char *by)
{
	is("group_size", size);
	is("group_index", index);
	is("group_by", by);
}

/* A datagram to a socket in a group of three. */
static void make_grouped(void)
{
	struct demux_sock server =
		make_sock(1, S_CLOSE, make_ends("10.0.0.1", 80, "0.0.0.0", 0));

	server.flags = DEMUX_SOCK_UDP | DEMUX_SOCK_REUSEPORT;
	datagram = make_datagram(5, make_ends("10.0.0.1", 80, "10.0.0.2", 4000),
				 server);
	datagram.have |= DEMUX_HAVE_GROUP | DEMUX_HAVE_INDEX;
	datagram.group_size = 3;
	datagram.group_index = 2;
	datagram.group_by = DEMUX_GROUP_BY_BPF;
}

static void test_group(void **state)
{
	(void)state;
	make_grouped();
	are("3", "2", "bpf");
	/* Where it is not seen how, it was looked up. */
	datagram.have &= ~DEMUX_HAVE_VIA;
	are("3", "2", "bpf");
	datagram.have &= ~DEMUX_HAVE_INDEX;
	are("3", "-", "-");
	datagram.have &= ~DEMUX_HAVE_GROUP;
	are("-", "-", "-");
}

static void test_score(void **state)
{
	(void)state;
	make_grouped();
	datagram.have |= DEMUX_HAVE_SCORE;
	datagram.score = 10;
	datagram.score_parts = DEMUX_SCORE_RPORT;
	datagram.sock.ends.rport = 4000;
	is("score", "10");
	is("score_parts", "rport");
	datagram.sock.ends.rport++;
	is("score", "-");
	is("score_parts", "-");
}

static void test_parts(void **state)
{
	(void)state;
	make_grouped();
	datagram.segs = 5;
	is("segs", "5");
	is("segs_lost", "-");
	datagram.segs_lost = 2;
	is("segs_lost", "2");
}

/* The first one has a number too, where there may be others. */
static void test_copy(void **state)
{
	(void)state;
	make_grouped();
	is("copy", "-");
	datagram.notes = DEMUX_NOTE_GROUP;
	is("copy", "0");
	datagram.have &= ~DEMUX_HAVE_SOCK;
	is("copy", "-");
	datagram.have |= DEMUX_HAVE_SOCK;
	datagram.copy = 2;
	is("copy", "2");
	datagram.notes = 0;
	is("copy", "2");
}

/* Their records are of one type; a connected socket has a remote end. */
static void test_bind(void **state)
{
	struct demux_sock bound =
		make_sock(1, S_CLOSE, make_ends("10.0.0.1", 80, "0.0.0.0", 0));
	struct demux_accept record;
	struct event event;

	(void)state;
	bound.flags = DEMUX_SOCK_UDP;
	record = make_accept(5, 7, "dns", 0, 0, bound);
	record.head.type = DEMUX_BIND;
	event = event_of(&record);
	assert_string_equal(get("event", &event), "bind");
	record.sock.ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	event = event_of(&record);
	assert_string_equal(get("event", &event), "connect");
	/* To port 0. */
	record.sock.ends.rport = 0;
	assert_string_equal(get("event", &event), "bind");
	record.sock.state = S_ESTABLISHED;
	assert_string_equal(get("event", &event), "connect");
}

/* A group chooses for the lookup of one receiver, and no connected one. */
static void test_not_by_group(void **state)
{
	(void)state;
	make_grouped();
	datagram.via = DEMUX_EARLY_DEMUX;
	are("3", "-", "-");
	datagram.via = DEMUX_ASSIGNED;
	are("3", "-", "-");
	make_grouped();
	datagram.notes = DEMUX_NOTE_GROUP;
	are("3", "-", "-");
	datagram.notes = DEMUX_NOTE_SK_LOOKUP;
	are("3", "-", "-");
	make_grouped();
	datagram.sock.ends = datagram.ends;
	datagram.sock.state = S_ESTABLISHED;
	are("3", "-", "-");
	make_grouped();
	/* It has taken the option back: the lookup may have found it itself. */
	datagram.sock.flags = DEMUX_SOCK_UDP;
	are("3", "-", "-");
	make_grouped();
	datagram.sock.state = S_ESTABLISHED; /* to port 0 */
	are("3", "-", "-");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_parts),        cmocka_unit_test(test_score),
	cmocka_unit_test(test_group),        cmocka_unit_test(test_bind),
	cmocka_unit_test(test_not_by_group), cmocka_unit_test(test_copy),
};

RUN("fields_datagram", tests)
