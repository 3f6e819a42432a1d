// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_fields_why.c - user/fields_why.c: why it was this socket.
 */
#include "explained.h"

#define ADDRESS   DEMUX_CANDIDATE_ADDRESS
#define DEVICE    DEMUX_CANDIDATE_DEVICE
#define FAMILY    DEMUX_CANDIDATE_FAMILY
#define CPU       DEMUX_CANDIDATE_CPU
#define REUSEPORT DEMUX_CANDIDATE_REUSEPORT
#define LAST      DEMUX_CANDIDATE_LAST

/* One more, with the score that its flags give. */
static void add(uint64_t id, uint8_t flags)
{
	why->candidate[why->candidates % DEMUX_CANDIDATES] =
		(struct demux_candidate){
			.id = id,
			.ifindex = flags & DEVICE ? 4 : 0,
			.score = 1 + !!(flags & DEVICE) + !!(flags & FAMILY) +
				 !!(flags & CPU),
			.flags = flags,
		};
	why->candidates++;
	has(DEMUX_WHY_CANDIDATES);
}

/* A SYN that went to listener 9. */
static void make_listened(void)
{
	make(DEMUX_LISTENER);
	*why = (struct demux_why){};
	give_sock(&record.more, make_listener(9, "0.0.0.0", 12000));
}

static void is(const char *key, const char *expected)
{
	struct event from = event();

	assert_string_equal(get(key, &from), expected);
}

static void test_unknown(void **state)
{
	static const char *const keys[] = {
		"hash_slots",   "hash_slot",  "chain_position",
		"chain_length", "candidates", "candidate_list",
		"won_by",       "group_size", "group_hash",
		"group_index",  "group_by",   "options",
	};

	(void)state;
	make_listened();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		is(keys[i], "-"); /* without --detail */
	seg->have |= DEMUX_HAVE_WHY;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		is(keys[i], "-");
}

static void test_slot(void **state)
{
	(void)state;
	make_found(DEMUX_ESTABLISHED, S_ESTABLISHED);
	in_slot(2, 5);
	is("hash_slots", "8192");
	is("hash_slot", "3819");
	is("chain_position", "2");
	is("chain_length", "5");
	why->have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN;
	is("chain_position", "-");
	is("chain_length", "5");
}

static void test_list(void **state)
{
	struct event from;

	(void)state;
	make_listened();
	has(DEMUX_WHY_CANDIDATES);
	is("candidates", "0");
	add(8, ADDRESS | FAMILY);
	add(9, DEVICE);
	add(10, FAMILY);
	add(11, ADDRESS);
	is("candidates", "4");
	from = event();
	from.candidate[1] = &sock;
	assert_string_equal(get("candidate_list", &from),
			    "@10.0.0.1=2 #3@::%4=2 @0.0.0.0=2 "
			    "@::ffff:10.0.0.1=1");
	make_listened();
	seg->ends = make_ends("fd00::1", 80, "fd00::2", 9);
	add(8, ADDRESS);
	add(9, 0);
	is("candidate_list", "@fd00::1=1 @::=1");
	/* The longest. */
	make_listened();
	seg->ends = make_ends("2001:db8:1111:2222:3333:4444:5555:6666", 1,
			      "fd00::2", 9);
	for (int i = 0; i < 2 * DEMUX_CANDIDATES; i++)
		add(9, 0xff);
	for (int i = 0; i < DEMUX_CANDIDATES; i++) {
		why->candidate[i].ifindex = UINT32_MAX;
		why->candidate[i].score = -32768;
	}
	sock.number = UINT64_MAX;
	from = event();
	for (int i = 0; i < DEMUX_CANDIDATES; i++)
		from.candidate[i] = &sock;
	assert_int_equal(strlen(get("candidate_list", &from)),
			 8 * strlen("#18446744073709551615@2001:db8:1111:2222:"
				    "3333:4444:5555:6666%4294967295=-32768 ") -
				 1);
}

static void test_won_by(void **state)
{
	(void)state;
	make_listened();
	add(9, 0);
	is("won_by", "only");
	make_listened();
	add(9, ADDRESS);
	add(8, DEVICE | FAMILY);
	is("won_by", "address");
	make_listened();
	add(8, FAMILY);
	add(9, DEVICE);
	is("won_by", "-"); /* the first of equal ones should have won */
	add(9, DEVICE | FAMILY);
	is("won_by", "device");
	make_listened();
	add(8, 0);
	add(9, FAMILY);
	is("won_by", "family");
	add(7, 0);
	is("won_by", "family");
	make_listened();
	add(9, FAMILY | CPU);
	add(8, FAMILY);
	is("won_by", "incoming_cpu");
	make_listened();
	add(9, FAMILY);
	add(8, FAMILY);
	is("won_by", "newest");
	/* The best of the others is the rival. */
	add(7, FAMILY);
	why->candidate[1].flags = 0;
	why->candidate[1].score = 1;
	is("won_by", "newest");
}

/* Some stand behind the others, however new they are. */
static void test_won_by_order(void **state)
{
	(void)state;
	make_listened();
	add(9, 0);
	add(8, LAST);
	is("won_by", "first");
	why->candidate[0].flags = LAST;
	is("won_by", "first");
	why->candidate[1].flags = 0;
	is("won_by", "first");
	add(7, LAST | DEVICE);
	why->candidate[2].score = 1;
	why->candidate[0].flags = 0;
	is("won_by", "first");
	/* Of another score it does not matter. */
	why->candidate[2].score = 0;
	is("won_by", "newest");
	/* Nor on any address. */
	make_listened();
	add(9, ADDRESS);
	add(8, ADDRESS);
	add(7, LAST);
	is("won_by", "newest");
}

static void test_won_by_group(void **state)
{
	(void)state;
	make_listened();
	add(8, REUSEPORT);
	add(7, REUSEPORT);
	is("won_by", "-"); /* it has not the option */
	seg->sock.flags = DEMUX_SOCK_REUSEPORT;
	is("won_by", "reuseport");
	has(DEMUX_WHY_GROUP);
	why->group_size = 2;
	is("won_by", "reuseport");
	/* More than are told: those could not have come to it. */
	for (int i = 0; i < DEMUX_CANDIDATES; i++)
		add(20 + i, REUSEPORT);
	is("won_by", "reuseport");
	why->candidate[0].flags = 0;
	why->candidate[1].flags = 0;
	is("won_by", "-");
	/* A group of one is a listener like others. */
	make_listened();
	seg->sock.flags = DEMUX_SOCK_REUSEPORT;
	has(DEMUX_WHY_GROUP);
	why->group_size = 1;
	add(9, REUSEPORT | ADDRESS);
	add(8, REUSEPORT);
	is("won_by", "address");
	make_listened();
	seg->sock.flags = DEMUX_SOCK_REUSEPORT;
	add(9, REUSEPORT | DEVICE);
	add(8, REUSEPORT);
	is("won_by", "device");
	why->candidate[1].flags = DEVICE | FAMILY;
	why->candidate[1].score = 3;
	is("won_by", "reuseport"); /* it came first, and ended the search */
	why->candidate[1].score = 2;
	is("won_by", "reuseport");
	why->candidate[1].score = 1;
	why->candidate[1].flags = 0;
	is("won_by", "device");
	/* It chose its first one. */
	has(DEMUX_WHY_GROUP);
	why->group_size = 2;
	is("won_by", "reuseport");
	/* Not the one that should have won, which is of no group. */
	why->candidate[0].id = 10;
	why->candidate[0].flags = DEVICE;
	is("won_by", "-");
}

/* The only one that could have had it was of a group, and another member of it,
 * which has been bound to another device since, got it. */
static void test_won_by_group_of_devices(void **state)
{
	(void)state;
	make_listened();
	seg->sock.flags = DEMUX_SOCK_REUSEPORT;
	add(8, REUSEPORT);
	is("won_by", "reuseport");
	has(DEMUX_WHY_GROUP);
	why->group_size = 2;
	is("won_by", "reuseport");
	why->group_size = 1;
	is("won_by", "-");
	/* It has taken the option back, and is in the group all the same. */
	seg->sock.flags = 0;
	why->group_size = 2;
	is("won_by", "reuseport");
}

static void test_won_by_unknown(void **state)
{
	(void)state;
	make_listened();
	for (int i = 0; i < DEMUX_CANDIDATES; i++)
		add(9 + i, 0);
	why->candidates++;
	is("won_by", "-"); /* the ninth may be better */
	why->candidates--;
	is("won_by", "newest");
	seg->have |= DEMUX_HAVE_SK_LOOKUP;
	is("won_by", "-");
	seg->have &= ~DEMUX_HAVE_SK_LOOKUP;
	seg->via = DEMUX_ASSIGNED;
	is("won_by", "-");
	seg->have &= ~DEMUX_HAVE_VIA;
	is("won_by", "newest"); /* stable sees no way */
	seg->predicted = DEMUX_PREDICTED_OUTCOME;
	is("won_by", "-");
	/* Reopened by a SYN. */
	make_found(DEMUX_TIME_WAIT, S_TIME_WAIT);
	*why = (struct demux_why){};
	add(8, 0);
	is("won_by", "-");
	give_parent(&record.more, make_listener(8, "0.0.0.0", 12000));
	seg->head.len = sizeof(record);
	is("won_by", "only");
	make(DEMUX_NONE);
	*why = (struct demux_why){};
	add(8, 0);
	is("won_by", "-");
}

static void test_group(void **state)
{
	(void)state;
	make_listened();
	has(DEMUX_WHY_GROUP);
	why->group_size = 3;
	why->group_index = 2;
	why->group_hash = 3000000000u;
	why->group_by = DEMUX_GROUP_BY_CPU;
	is("group_size", "3");
	is("group_index", "-");
	is("group_hash", "-");
	is("group_by", "-");
	has(DEMUX_WHY_GROUP_CHOICE | DEMUX_WHY_GROUP_HASH);
	is("group_index", "2");
	is("group_hash", "3000000000");
	is("group_by", "cpu");
	why->group_by = DEMUX_GROUP_BY_BPF;
	is("group_by", "bpf");
	why->group_by = 77;
	is("group_by", "-");
}

static void has_options(const char *bytes, size_t len, const char *expected)
{
	make_listened();
	has(DEMUX_WHY_OPTIONS);
	why->option_bytes = len;
	memcpy(why->options, bytes, len);
	is("options", expected);
}

#define OPTIONS(bytes, expected) has_options(bytes, sizeof(bytes) - 1, expected)

static void test_options(void **state)
{
	(void)state;
	OPTIONS("", "-");
	OPTIONS("\1\1\0\2", "-");
	OPTIONS("\2\4\5\xb4\4\2\x8\xa........\1\3\3\x7",
		"mss=1460,sackok,ts,wscale=7");
	OPTIONS("\1\1\5\xa........\x13\x12................", "sack,md5");
	OPTIONS("\x1d\4\1\1\x1e\4\0\1\"\2\xfe\4\xf9\x89", "ao,mptcp,tfo,tfo");
	OPTIONS("\xfe\4\1\2\x50\4..", "-"); /* it has no name here */
	/* Cut, or wrong. */
	OPTIONS("\4\2\2\4\5", "sackok");
	OPTIONS("\4\2\2\1\5\5", "sackok");
	OPTIONS("\4\2\3", "sackok");
	OPTIONS("\4\2\4", "sackok");
	OPTIONS("\4\0\4\2", "-");
	OPTIONS("\4\1\4\2", "-");
	OPTIONS("\2\3\5\3\2", "-");
	OPTIONS("\xfe\3\xf9\x89", "-");
	OPTIONS("\x50\4\xf9\x89", "-");
	OPTIONS("\4\2\0\4\2", "sackok");
	OPTIONS("\4\2\4\2\4\2\4\2\4\2\4\2\4\2\4\2\4\2\4\2"
		"\4\2\4\2\4\2\4\2\4\2\4\2\4\2\4\2\4\2\4\2",
		"sackok,sackok,sackok,sackok,sackok,sackok,sackok,sackok,"
		"sackok,sackok,sackok,sackok,sackok,sackok,sackok,sackok,"
		"sackok,sackok,sackok,sackok");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_unknown),
	cmocka_unit_test(test_slot),
	cmocka_unit_test(test_list),
	cmocka_unit_test(test_won_by),
	cmocka_unit_test(test_won_by_order),
	cmocka_unit_test(test_won_by_group),
	cmocka_unit_test(test_won_by_group_of_devices),
	cmocka_unit_test(test_won_by_unknown),
	cmocka_unit_test(test_group),
	cmocka_unit_test(test_options),
};

RUN("fields_why", tests)
