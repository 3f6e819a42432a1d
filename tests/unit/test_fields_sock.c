// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_fields_sock.c - user/fields_sock.c: the columns of accept, socket, listen
 * and close.
 */
#include "shown.h"

static void test_accept(void **state)
{
	static const struct expected expected[] = {
		{ "event", "accept" }, { "laddr", "fd00::1" },
		{ "lport", "80" },     { "raddr", "fd00::2" },
		{ "rport", "4000" },   { "family", "6" },
		{ "pid", "50" },       { "tid", "51" },
		{ "uid", "1000" },     { "comm", "web" },
		{ "fd", "12" },        { "inode", "70012" },
		{ "cookie", "512" },   { "outcome", "-" },
		{ "sock_laddr", "-" }, { "netns", "4026531840" },
		{ "backlog", "-" },    { NULL, NULL },
	};
	struct demux_ends ends = make_ends("fd00::1", 80, "fd00::2", 4000);
	struct demux_accept accept = make_accept(
		1, 50, "web", 12, 0, make_sock(9, S_ESTABLISHED, ends));
	struct event event = event_of(&accept);

	(void)state;
	expect(&event, expected);
	accept.fd = -1;
	assert_string_equal(get("fd", &event), "-1");
	assert_int_equal(value.kind, VALUE_SIGNED);
	accept.have = DEMUX_HAVE_INODE;
	assert_string_equal(get("cookie", &event), "-");
	assert_string_equal(get("inode", &event), "70012");
	accept.have = DEMUX_HAVE_COOKIE;
	assert_string_equal(get("inode", &event), "-");
	assert_string_equal(get("cookie", &event), "512");
	accept.have = 0;
	expect(&event, (struct expected[]){ { "fd", "-" },
					    { "inode", "-" },
					    { "cookie", "-" },
					    { NULL, NULL } });
	/* Nor who accepted it. */
	expect(&event, (struct expected[]){ { "pid", "-" },
					    { "tid", "-" },
					    { "uid", "-" },
					    { "comm", "-" },
					    { NULL, NULL } });
	/* A name without a NUL ends where its bytes do. */
	accept.have = DEMUX_HAVE_OWNER;
	memset(accept.comm, 'z', sizeof(accept.comm));
	assert_string_equal(get("comm", &event), "zzzzzzzzzzzzzzzz");
	assert_int_equal(value.kind, VALUE_BYTES);
}

static void test_socket(void **state)
{
	/* The owner is the one that this record tells of. */
	static const struct expected told[] = {
		{ "event", "socket" },
		{ "sock", "3" },
		{ "sock_state", "ESTABLISHED" },
		{ "laddr", "::ffff:10.0.0.1" },
		{ "rport", "4000" },
		{ "mapped", "yes" },
		{ "parent", "2" },
		{ "pid", "50" },
		{ "tid", "-" },
		{ "uid", "1000" },
		{ "comm", "web" },
		{ "fd", "12" },
		{ "inode", "70012" },
		{ "cookie", "512" },
		{ "owners", "2" },
		{ "backlog", "-" },
		{ NULL, NULL },
	};
	static const struct expected not_told[] = {
		{ "owners", "-" },   { "pid", "49" }, { "uid", "-" },
		{ "comm", "first" }, { "fd", "7" },   { "inode", "-" },
		{ "cookie", "-" },   { NULL, NULL },
	};
	struct demux_ends ends =
		make_ends("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 4000);
	struct demux_accept before = make_before(
		1, 50, "web", 12, 0, make_sock(9, S_ESTABLISHED, ends));
	struct event event = event_of(&before);

	(void)state;
	sock = (struct model_sock){ .number = 3,
				    .owners = 2,
				    .has_owner = 1,
				    .has_fd = 1,
				    .pid = 49,
				    .fd = 7,
				    .comm = "first" };
	parent = (struct model_sock){ .number = 2 };
	event.sock = &sock;
	event.parent = &parent;
	expect(&event, told);
	sock.owners = 1;
	before.have = 0;
	expect(&event, not_told);
}

/* As ss and netstat have it; of a segment's, as the kernel has it. */
static void test_states(void **state)
{
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.9", 4000);
	struct demux_accept before =
		make_before(1, 0, "", 0, 0, make_sock(9, S_TIME_WAIT, ends));
	struct demux_segment_more more = make_segment(2, DEMUX_TIME_WAIT, ends);
	struct event event = event_of(&before);

	(void)state;
	sock = (struct model_sock){ .number = 3 };
	event.sock = &sock;
	assert_string_equal(get("sock_state", &event), "TIME_WAIT");
	before.sock.substate = S_FIN_WAIT2;
	assert_string_equal(get("sock_state", &event), "FIN_WAIT2");
	give_sock(&more, before.sock);
	before.sock = make_sock(10, S_NEW_SYN_RECV, ends);
	assert_string_equal(get("sock_state", &event), "SYN_RECV");
	event = event_of(&more);
	event.sock = &sock;
	assert_string_equal(get("sock_state", &event), "TIME_WAIT");
	assert_string_equal(get("sock_substate", &event), "FIN_WAIT2");
	more.segment.sock.substate = 0;
	assert_string_equal(get("sock_substate", &event), "-");
}

static void test_listen_and_close(void **state)
{
	struct demux_sock at = make_listener(9, "0.0.0.0", 80);
	struct demux_listen listen = make_listen(1, 50, "web", at);
	struct demux_close close = make_close(2, DEMUX_UNHASHED, at);
	struct event event = event_of(&listen);

	(void)state;
	sock = (struct model_sock){ .number = 3,
				    .segments = 8,
				    .has_owner = 1,
				    .pid = 50,
				    .comm = "web" };
	event.sock = &sock;
	expect(&event, (struct expected[]){ { "event", "listen" },
					    { "backlog", "128" },
					    { "tid", "50" },
					    { "uid", "1000" },
					    { "pid", "50" },
					    { "comm", "web" },
					    { "sock", "3" },
					    { "segments", "-" },
					    { NULL, NULL } });
	event = event_of(&close);
	event.sock = &sock;
	expect(&event, (struct expected[]){ { "event", "close" },
					    { "segments", "8" },
					    { "pid", "50" },
					    { "tid", "-" },
					    { "backlog", "-" },
					    { NULL, NULL } });
}

static void test_device(void **state)
{
	struct demux_close close =
		make_close(2, DEMUX_UNHASHED, make_listener(9, "0.0.0.0", 80));
	struct event event = event_of(&close);

	(void)state;
	assert_string_equal(get("sock_ifindex", &event), "-");
	close.sock.ifindex = 7;
	assert_string_equal(get("sock_ifindex", &event), "7");
}

/* Nobody is known to have it: that is not process 0. */
static void test_no_owner(void **state)
{
	struct demux_close close =
		make_close(2, DEMUX_UNHASHED, make_listener(9, "0.0.0.0", 80));
	struct event event = event_of(&close);

	(void)state;
	sock = (struct model_sock){ .number = 3 };
	expect(&event, (struct expected[]){ { "pid", "-" },
					    { "segments", "-" },
					    { NULL, NULL } });
	event.sock = &sock;
	expect(&event, (struct expected[]){ { "pid", "-" },
					    { "comm", "-" },
					    { "fd", "-" },
					    { "segments", "0" },
					    { NULL, NULL } });
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_accept), cmocka_unit_test(test_socket),
	cmocka_unit_test(test_states), cmocka_unit_test(test_listen_and_close),
	cmocka_unit_test(test_device), cmocka_unit_test(test_no_owner),
};

RUN("fields_sock", tests)
