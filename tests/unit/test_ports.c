// SPDX-License-Identifier: GPL-2.0-only
/* test_ports.c - user/ports.c: rows by port, and each remote end once. */
#include "test.h"

#include "ports.h"

static void test_rows(void **state)
{
	struct ports ports = { 0 };
	struct port *first, **rows;
	size_t count = 9;

	(void)state;
	assert_null(ports_sorted(&ports, &count));
	assert_int_equal(count, 0);
	first = ports_get(&ports, 443);
	assert_non_null(first);
	assert_int_equal(first->port, 443);
	assert_int_equal(first->segments, 0);
	assert_ptr_equal(ports_get(&ports, 443), first);
	for (unsigned int i = 0; i < 65536; i += 257)
		assert_non_null(ports_get(&ports, 65535 - i));
	rows = ports_sorted(&ports, &count);
	assert_int_equal(count, 257);
	for (size_t i = 1; i < count; i++)
		assert_true(rows[i - 1]->port < rows[i]->port);
	assert_int_equal(rows[0]->port, 0);
	assert_int_equal(rows[count - 1]->port, 65535);
	free(rows);
	ports_free(&ports);
}

static void test_peers(void **state)
{
	static const struct {
		const char *addr;
		uint16_t port;
		size_t count; /* with this one */
	} cases[] = {
		{ "10.0.0.1", 1000, 1 }, { "10.0.0.1", 1000, 1 },
		{ "10.0.0.1", 1001, 2 }, { "10.0.0.2", 1000, 3 },
		{ "fd00::1", 1000, 4 },  { "fd00::2", 1000, 5 },
		{ "fd00::1", 1000, 5 },  { "a00:1::", 1000, 6 },
		{ "10.0.0.2", 1000, 6 },
	};
	struct ports ports = { 0 };
	struct port *one = ports_get(&ports, 80);
	struct port *other = ports_get(&ports, 81);
	struct demux_sock sock;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sock = make_sock(9, S_ESTABLISHED,
				 make_ends(cases[i].addr, 80, cases[i].addr,
					   cases[i].port));
		assert_int_equal(ports_add_peer(&ports, one, &sock), 0);
		assert_int_equal(one->remote_ends, cases[i].count);
	}
	assert_int_equal(other->remote_ends, 0);
	/* The same remote end on another port is counted there. */
	assert_int_equal(ports_add_peer(&ports, other, &sock), 0);
	assert_int_equal(other->remote_ends, 1);
	assert_int_equal(ports.peers, 7);
	/* The same address in another namespace is another host's. */
	sock.netns++;
	assert_int_equal(ports_add_peer(&ports, other, &sock), 0);
	assert_int_equal(other->remote_ends, 2);
	assert_false(one->peers_full || one->by_laddr || one->by_device);
	ports_free(&ports);
	assert_int_equal(ports.table.count, 0);
}

/* Several have one remote end: another local address, or another device. */
static void test_same_remote_end(void **state)
{
	struct ports ports = { 0 };
	struct port *port = ports_get(&ports, 80);
	struct demux_sock sock = make_sock(
		9, S_ESTABLISHED, make_ends("10.0.0.1", 80, "10.0.0.2", 1));

	(void)state;
	assert_int_equal(ports_add_peer(&ports, port, &sock), 0);
	assert_int_equal(ports_add_peer(&ports, port, &sock), 0);
	assert_int_equal(port->peers.count, 1);
	sock.ifindex = 2;
	assert_int_equal(ports_add_peer(&ports, port, &sock), 0);
	assert_true(port->by_device && !port->by_laddr);
	sock.ends.laddr[3]++;
	assert_int_equal(ports_add_peer(&ports, port, &sock), 0);
	assert_true(port->by_laddr);
	assert_int_equal(port->peers.count, 3);
	assert_int_equal(port->remote_ends, 1);
	ports_free(&ports);
}

/* Memory has an end: the count is then said to be unknown, not wrong. */
static void test_too_many(void **state)
{
	struct ports ports = { .peers = UINT64_MAX };
	struct port *port = ports_get(&ports, 80);
	struct demux_sock sock = make_sock(
		9, S_ESTABLISHED, make_ends("10.0.0.1", 80, "10.0.0.2", 1));

	(void)state;
	assert_int_equal(ports_add_peer(&ports, port, &sock), 0);
	assert_true(port->peers_full);
	assert_int_equal(port->remote_ends, 0);
	ports_free(&ports);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rows),
	cmocka_unit_test(test_peers),
	cmocka_unit_test(test_same_remote_end),
	cmocka_unit_test(test_too_many),
};

RUN("ports", tests)
