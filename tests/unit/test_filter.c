// SPDX-License-Identifier: GPL-2.0-only
/* test_filter.c - bpf/filter.h: is it wanted? */
#include "test.h"

#include "filter.h"

static void test_port(void **state)
{
	static const uint16_t on[] = { 1, 80, 87, 88, 65535 };
	static struct demux_config wanted;
	unsigned int hits = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		wanted.ports[on[i] / 8] |= 1 << on[i] % 8;
	for (unsigned int port = 0; port < 65536; port++)
		hits += !!filter_port(&wanted, port);
	assert_int_equal(hits, sizeof(on) / sizeof(on[0]));
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		assert_true(filter_port(&wanted, on[i]));
	wanted.any_port = 1;
	assert_true(filter_port(&wanted, 2));
}

static void test_family(void **state)
{
	struct demux_config wanted = { .families = DEMUX_IPV4 };

	(void)state;
	assert_true(filter_family(&wanted, 4));
	assert_false(filter_family(&wanted, 6));
	wanted.families = DEMUX_IPV6;
	assert_false(filter_family(&wanted, 4));
	assert_true(filter_family(&wanted, 6));
	wanted.families = DEMUX_IPV4 | DEMUX_IPV6;
	assert_true(filter_family(&wanted, 4));
	assert_true(filter_family(&wanted, 6));
}

static void test_netns(void **state)
{
	struct demux_config wanted = { .netns = 0 };

	(void)state;
	assert_true(filter_netns(&wanted, 7));
	wanted.netns = 7;
	assert_true(filter_netns(&wanted, 7));
	assert_false(filter_netns(&wanted, 8));
}

/* Of the peers, as letters, those that a remote end of these values has. */
static const char *remote(uint8_t family, const char *addr, unsigned int bits,
			  uint16_t port)
{
	static const struct {
		char letter;
		const char *addr;
		uint16_t port;
	} peers[] = {
		{ 'a', "10.1.2.3", 443 },        { 'b', "10.1.2.2", 80 },
		{ 'c', "10.129.2.3", 443 },      { 'd', "11.1.2.3", 443 },
		{ 'A', "::ffff:10.1.2.3", 443 }, { 'D', "::ffff:11.1.2.3", 80 },
		{ 'v', "2001:db8::1", 443 },     { 'w', "2001:db8::2", 80 },
		{ 'x', "2001:db9::1", 443 },     { 'z', "::", 443 },
	};
	static char found[20];
	struct demux_config wanted = {
		.any_port = 1,
		.families = DEMUX_IPV4 | DEMUX_IPV6,
		.remote_family = family,
		.remote_bits = bits,
		.remote_port = port,
	};
	char *to = found;

	if (family)
		inet_pton(family == 4 ? AF_INET : AF_INET6, addr,
			  wanted.remote);
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct demux_ends ends = make_ends(
			strchr(peers[i].addr, ':') ? "::1" : "10.0.0.1", 80,
			peers[i].addr, peers[i].port);
		struct demux_sock sock = make_sock(1, S_ESTABLISHED, ends);

		if (filter_remote(&wanted, &ends))
			*to++ = peers[i].letter;
		assert_int_equal(!filter_remote(&wanted, &ends),
				 !filter_sock(&wanted, &sock));
	}
	*to = '\0';
	return found;
}

static void test_remote(void **state)
{
	(void)state;
	assert_string_equal(remote(0, "", 0, 0), "abcdADvwxz");
	assert_string_equal(remote(0, "", 0, 443), "acdAvxz");
	assert_string_equal(remote(4, "10.1.2.3", 32, 0), "aA");
	assert_string_equal(remote(4, "10.1.2.3", 32, 443), "aA");
	assert_string_equal(remote(4, "10.1.2.3", 32, 80), "");
	assert_string_equal(remote(4, "10.1.2.2", 31, 0), "abA");
	assert_string_equal(remote(4, "10.0.0.0", 9, 0), "abA");
	assert_string_equal(remote(4, "10.0.0.0", 8, 0), "abcA");
	assert_string_equal(remote(4, "10.0.0.0", 7, 443), "acdA");
	assert_string_equal(remote(4, "0.0.0.0", 0, 0), "abcdAD");
	assert_string_equal(remote(6, "2001:db8::1", 128, 0), "v");
	assert_string_equal(remote(6, "2001:db8::", 32, 0), "vw");
	assert_string_equal(remote(6, "2001:db8::", 31, 443), "vx");
	/* Segments of the mapped ones are IPv4. */
	assert_string_equal(remote(6, "::", 0, 0), "vwxz");
	assert_string_equal(remote(6, "::", 80, 0), "z");
	/* The first 4 bytes are those of 10.1.2.3. */
	assert_string_equal(remote(6, "a01:203::", 32, 0), "");
	assert_string_equal(remote(4, "32.1.13.184", 32, 0), "");
}

/* One of UDP may be connected to any port of a host. */
static void test_remote_of_host(void **state)
{
	struct demux_config wanted = {
		.any_port = 1,
		.protos = DEMUX_UDP,
		.families = DEMUX_IPV4,
		.remote_family = 4,
		.remote_bits = 32,
		.remote_port = 9,
		.remote = { 10, 0, 0, 2 },
	};
	struct demux_sock sock = make_sock(
		1, S_ESTABLISHED, make_ends("10.0.0.1", 80, "10.0.0.2", 0));

	(void)state;
	sock.flags = DEMUX_SOCK_UDP;
	assert_true(filter_sock(&wanted, &sock));
	sock.ends.rport = 8;
	assert_false(filter_sock(&wanted, &sock));
	sock.ends.rport = 0;
	sock.ends.raddr[3] = 3;
	assert_false(filter_sock(&wanted, &sock));
	/* An IPv6 socket that has disconnected keeps the address. */
	sock.state = S_CLOSE;
	sock.ends = make_ends("::", 80, "fd00::2", 0);
	assert_true(filter_sock(&wanted, &sock));
}

/* Nobody is connected to a listener yet: anybody may come. */
static void test_remote_of_listener(void **state)
{
	struct demux_config wanted = {
		.any_port = 1,
		.families = DEMUX_IPV4 | DEMUX_IPV6,
		.remote_family = 4,
		.remote_bits = 32,
		.remote_port = 1,
	};
	struct demux_sock listener = make_listener(1, "::", 80);

	(void)state;
	assert_true(filter_sock(&wanted, &listener));
	wanted.netns = MAKE_NETNS + 1;
	assert_false(filter_sock(&wanted, &listener));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_port),
	cmocka_unit_test(test_family),
	cmocka_unit_test(test_netns),
	cmocka_unit_test(test_remote),
	cmocka_unit_test(test_remote_of_host),
	cmocka_unit_test(test_remote_of_listener),
};

RUN("filter", tests)
