// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_sock_diag.c - user/sock_diag.c: what the kernel's message becomes; and
 * user/holders.c: whose descriptor that is.
 */
#include "test.h"

#include "holders.h"
#include "sock_diag.h"

static struct inet_diag_msg message(int family, uint8_t tcp_state)
{
	struct inet_diag_msg msg = {
		.idiag_family = family,
		.idiag_state = tcp_state,
		.idiag_inode = 4711,
		.id = {
			.idiag_sport = htons(80),
			.idiag_dport = htons(4000),
			.idiag_if = 3,
			.idiag_cookie = { 5, 1 },
		},
	};

	inet_pton(family, family == AF_INET ? "10.0.0.1" : "fd00::1",
		  msg.id.idiag_src);
	inet_pton(family, family == AF_INET ? "10.0.0.2" : "fd00::2",
		  msg.id.idiag_dst);
	return msg;
}

static void test_record(void **state)
{
	struct inet_diag_msg msg = message(AF_INET, S_ESTABLISHED);
	struct demux_accept record = sock_diag_record(&msg, 99);
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);

	(void)state;
	assert_int_equal(record.head.type, DEMUX_SOCKET);
	assert_int_equal(record.head.len, sizeof(record));
	assert_int_equal(record.have, DEMUX_HAVE_INODE | DEMUX_HAVE_COOKIE);
	assert_int_equal(record.inode, 4711);
	assert_int_equal(record.cookie, 1ull << 32 | 5);
	assert_memory_equal(&record.sock.ends, &ends, sizeof(ends));
	assert_int_equal(record.sock.netns, 99);
	assert_int_equal(record.sock.ifindex, 3);
	assert_int_equal(record.sock.state, S_ESTABLISHED);
	assert_int_equal(record.sock.flags, DEMUX_SOCK_BY_ENDS);
	/* What lies behind an IPv4 address is not the kernel's word. */
	msg.id.idiag_src[1] = msg.id.idiag_dst[3] = 0xffffffff;
	record = sock_diag_record(&msg, 99);
	assert_memory_equal(&record.sock.ends, &ends, sizeof(ends));
	msg = message(AF_INET6, S_ESTABLISHED);
	record = sock_diag_record(&msg, 99);
	ends = make_ends("fd00::1", 80, "fd00::2", 4000);
	assert_memory_equal(&record.sock.ends, &ends, sizeof(ends));
}

static void test_states(void **state)
{
	struct inet_diag_msg msg = message(AF_INET, 5); /* FIN_WAIT2 */

	(void)state;
	assert_int_equal(sock_diag_record(&msg, 1).sock.state, 5);
	assert_int_equal(sock_diag_record(&msg, 1).sock.substate, 0);
	msg.idiag_timer = 3;
	assert_int_equal(sock_diag_record(&msg, 1).sock.state, S_TIME_WAIT);
	assert_int_equal(sock_diag_record(&msg, 1).sock.substate, 5);
	msg = message(AF_INET, S_SYN_RECV);
	msg.idiag_inode = 0;
	memset(msg.id.idiag_cookie, 0, sizeof(msg.id.idiag_cookie));
	assert_int_equal(sock_diag_record(&msg, 1).sock.state, S_NEW_SYN_RECV);
	assert_int_equal(sock_diag_record(&msg, 1).have, 0);
}

/* One id for one socket, and no other socket has it. */
static void test_ids(void **state)
{
	struct inet_diag_msg msg = message(AF_INET, S_LISTEN);
	uint64_t id = sock_diag_record(&msg, 1).sock.id;

	(void)state;
	assert_true(id);
	assert_true(sock_diag_record(&msg, 1).sock.id == id);
	assert_true(sock_diag_record(&msg, 2).sock.id != id);
	msg.id.idiag_dport++;
	assert_true(sock_diag_record(&msg, 1).sock.id != id);
	msg.id.idiag_dport--;
	msg.id.idiag_dst[0]++;
	assert_true(sock_diag_record(&msg, 1).sock.id != id);
	msg.id.idiag_dst[0]--;
	/* SO_REUSEPORT: the cookie alone tells them apart. */
	msg.id.idiag_cookie[0]++;
	assert_true(sock_diag_record(&msg, 1).sock.id != id);
}

static void test_find_holders(void **state)
{
	struct holder all[] = { { .inode = 5, .pid = 1 },
				{ .inode = 7, .pid = 1 },
				{ .inode = 7, .pid = 2 },
				{ .inode = 9, .pid = 3 } };
	struct holders holders = { .all = all, .count = 4 };
	const struct holder *end;

	(void)state;
	assert_ptr_equal(holders_find(&holders, 7, &end), all + 1);
	assert_ptr_equal(end, all + 3);
	assert_ptr_equal(holders_find(&holders, 5, &end), all);
	assert_ptr_equal(end, all + 1);
	assert_ptr_equal(holders_find(&holders, 9, &end), all + 3);
	assert_ptr_equal(end, all + 4);
	for (uint64_t inode = 4; inode <= 10; inode += 2)
		assert_null(holders_find(&holders, inode, &end));
	holders.count = 0;
	assert_null(holders_find(&holders, 5, &end));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_record),
	cmocka_unit_test(test_states),
	cmocka_unit_test(test_ids),
	cmocka_unit_test(test_find_holders),
};

RUN("sock_diag", tests)
