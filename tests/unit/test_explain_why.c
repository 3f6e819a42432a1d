// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_explain_why.c - user/explain_why.c, user/text_detail.c: what is said of
 * the lookup tables, and how long its lines are.
 */
#include "explained.h"

#include "out.h"
#include "text_detail.h"

static void test_sk_lookup(void **state)
{
	(void)state;
	make(DEMUX_LISTENER);
	give_sock(&record.more, make_listener(9, "0.0.0.0", 12000));
	seg->have |= DEMUX_HAVE_SK_LOOKUP;
	seg->sk_lookup = 45;
	says(ACK_CAME NOT_FOUND ". Before the listeners a BPF program "
				"(sk_lookup, id 45) is asked. #3, which "
				"listens, took it.");
	/* The way is not seen. */
	seg->have &= ~DEMUX_HAVE_VIA;
	says(ACK_CAME " Before the listeners a BPF program (sk_lookup, id 45) "
		      "is asked. #3, which listens, took it.");
	seg->have |= DEMUX_HAVE_VIA;
	seg->sock.ends = make_ends("127.0.0.1", 7, "0.0.0.0", 0);
	ends_with("is asked. It chose one that listens on 127.0.0.1:7. #3, "
		  "which listens, took it.");
	seg->notes |= DEMUX_NOTE_SK_LOOKUPS;
	ends_with(". Before the listeners BPF programs (sk_lookup, the first: "
		  "id 45) are asked. One of them chose one that listens on "
		  "127.0.0.1:7. #3, which listens, took it.");
	seg->have &= ~DEMUX_HAVE_SOCK;
	ends_with("id 45) are asked. one not met so far, which listens, took "
		  "it.");
	seg->have |= DEMUX_HAVE_SOCK;
	seg->via = DEMUX_EARLY_DEMUX;
	explain(said,
		&(struct event){
			.head = &seg->head, .segment = seg, .sock = &sock },
		false);
	assert_lacks(said, "sk_lookup");
}

static void add_candidate(uint64_t id, int16_t score, uint8_t flags,
			  uint32_t ifindex)
{
	why->candidate[why->candidates++] = (struct demux_candidate){
		.id = id,
		.ifindex = ifindex,
		.score = score,
		.flags = flags,
	};
	has(DEMUX_WHY_CANDIDATES);
}

static void says_candidates(const char *expected)
{
	struct event from = event();

	from.candidate[0] = &parent;
	from.candidate[1] = &sock;
	explain(said, &from, false);
	assert_contains(said, expected);
}

static void test_candidates(void **state)
{
	(void)state;
	make(DEMUX_LISTENER);
	give_sock(&record.more, make_listener(9, "0.0.0.0", 12000));
	add_candidate(8, 2, 0, 0);
	says_candidates(" 1 listener could take it: #1 on any address. #3,");
	add_candidate(9, 2, DEMUX_CANDIDATE_ADDRESS, 0);
	says_candidates(" 2 listeners could take it: #1 on any address, score "
			"2; #3 on 10.0.0.1, score 2.");
	why->candidate[0].flags = DEMUX_CANDIDATE_CPU |
				  DEMUX_CANDIDATE_REUSEPORT;
	why->candidate[0].ifindex = 4;
	says_candidates(": #1 on any address, bound to device 4, for this CPU, "
			"of a reuseport group, score 2; #3");
	for (uint64_t id = 20; why->candidates < DEMUX_CANDIDATES; id++)
		add_candidate(id, 1, 0, 0);
	says_candidates("; one not met so far on any address, score 1. ");
	why->candidates = 11;
	says_candidates(", score 1; and 3 more. ");
	make(DEMUX_NONE);
	has(DEMUX_WHY_CANDIDATES);
	says(ACK_CAME NOT_FOUND ". No listener could take it. It is nobody's.");
	add_candidate(8, 2, 0, 0);
	add_candidate(9, 2, 0, 0);
	ends_with(", score 2. It is nobody's.");
}

/* What the tables have is not all, where a program is asked before. */
static void test_candidates_beside_sk_lookup(void **state)
{
	(void)state;
	make(DEMUX_LISTENER);
	give_sock(&record.more, make_listener(9, "127.0.0.1", 7));
	seg->have |= DEMUX_HAVE_SK_LOOKUP;
	seg->sk_lookup = 45;
	has(DEMUX_WHY_CANDIDATES);
	ends_with(" It chose one that listens on 127.0.0.1:7. By address and "
		  "port no listener could take it. #3, which listens, took "
		  "it.");
	add_candidate(8, 2, 0, 0);
	says_candidates(" By address and port 1 listener could take it: #1 on "
			"any address. #3, which listens, took it.");
}

/* Of two the first one, which has the segment, has these more. */
static void won_by(uint8_t flags, int16_t more, const char *rule)
{
	make(DEMUX_LISTENER);
	*why = (struct demux_why){};
	give_sock(&record.more, make_listener(8, "0.0.0.0", 12000));
	add_candidate(8, 1 + more, flags, 0);
	add_candidate(9, 1, flags & DEMUX_CANDIDATE_LAST, 0);
	ends_with(" #3, which listens, took it.");
	assert_contains(said, rule);
}

static void test_rules(void **state)
{
	(void)state;
	won_by(DEMUX_CANDIDATE_ADDRESS, 0,
	       ". A listener on the address comes before one on any. #3");
	won_by(DEMUX_CANDIDATE_DEVICE, 1,
	       ". One bound to the device comes before one that is not. #3");
	won_by(DEMUX_CANDIDATE_FAMILY, 1,
	       ". For IPv4 a listener on IPv4 comes before one on IPv6. #3");
	won_by(DEMUX_CANDIDATE_CPU, 1,
	       ". One that asked for segments of this CPU (SO_INCOMING_CPU) "
	       "comes first. #3");
	won_by(0, 0,
	       ". Of those with the same score the newest comes first. #3");
	won_by(DEMUX_CANDIDATE_LAST, 0,
	       ". Of those with the same score the one that the kernel looks at "
	       "first wins: IPv6 listeners with SO_REUSEPORT stand behind the "
	       "others. #3");
	won_by(DEMUX_CANDIDATE_REUSEPORT, 0,
	       ". The first of a reuseport group that beats those before it "
	       "ends the search: its group chooses. #3");
}

static void test_group(void **state)
{
	(void)state;
	make(DEMUX_LISTENER);
	give_sock(&record.more, make_listener(9, "0.0.0.0", 12000));
	has(DEMUX_WHY_GROUP);
	why->group_size = 1;
	ends_with(" #3, which listens, took it.");
	why->group_size = 2;
	ends_with(" took it. #3 is one of a reuseport group of 2.");
	why->have = 0;
	ends_with(" #3, which listens, took it.");
	has(DEMUX_WHY_GROUP);
	why->group_size = 4;
	ends_with(" took it. #3 is one of a reuseport group of 4.");
	has(DEMUX_WHY_GROUP_CHOICE);
	why->group_index = 2;
	ends_with(" of 4.");
	why->group_by = 9;
	ends_with(" of 4.");
	why->group_by = DEMUX_GROUP_BY_HASH;
	why->group_hash = 2500000000u;
	ends_with(" The hash of the four values chose index 2.");
	has(DEMUX_WHY_GROUP_HASH);
	ends_with(" The hash of the four values, 2500000000, chose index 2.");
	why->group_by = DEMUX_GROUP_BY_BPF;
	ends_with(" of 4. Its BPF program, or the hash where that gave no "
		  "answer, chose index 2.");
	why->group_by = DEMUX_GROUP_BY_CPU;
	ends_with(" of 4. The CPU (SO_INCOMING_CPU) chose index 2.");
	why->have &= ~DEMUX_WHY_GROUP_CHOICE;
	ends_with(" of 4.");
	/* That asked the group, though it need not have. */
	has(DEMUX_WHY_GROUP_CHOICE);
	seg->have |= DEMUX_HAVE_SK_LOOKUP;
	ends_with(" chose index 2.");
	why->have &= ~DEMUX_WHY_GROUP_HASH;
	ends_with(" of 4.");
	seg->have &= ~DEMUX_HAVE_SK_LOOKUP;
	ends_with(" chose index 2.");
	seg->via = DEMUX_ASSIGNED;
	ends_with(" of 4.");
}

static void shows(void (*put)(struct out *out), const char *expected)
{
	struct out out;
	char path[32], shown[200];

	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	put(&out);
	out_end(&out);
	out_close(&out);
	shown[read_file(path, shown, sizeof(shown) - 1)] = '\0';
	unlink(path);
	assert_string_equal(shown, expected);
}

static void put_why(struct out *out)
{
	struct event from = event();

	text_detail_why(out, &from);
}

static void put_numbers(struct out *out)
{
	struct event from = event();

	text_detail_numbers(out, &from, true);
}

static void test_columns(void **state)
{
	(void)state;
	make(DEMUX_LISTENER);
	*why = (struct demux_why){};
	give_sock(&record.more, make_listener(8, "0.0.0.0", 12000));
	shows(put_numbers, " seq 1000 ack 2000 win 502");
	seg->flags = F_SYN;
	shows(put_numbers, " seq 1000 win 502");
	shows(put_why, "");
	in_slot(2, 5);
	shows(put_why, " slot 3819/8192 pos 2/5");
	why->have &= ~DEMUX_WHY_POSITION;
	shows(put_why, " slot 3819/8192 chain 5");
	why->have = 0;
	add_candidate(8, 2, 0, 0);
	shows(put_why, " 1 listener");
	add_candidate(9, 2, 0, 0);
	shows(put_why, " 2 listeners by newest");
	why->have = DEMUX_WHY_GROUP;
	why->group_size = 4;
	shows(put_why, "");
	has(DEMUX_WHY_GROUP_CHOICE);
	why->group_index = 3;
	why->group_by = DEMUX_GROUP_BY_BPF;
	shows(put_why, " group 3/4 by bpf");
	why->have = 0;
	seg->have |= DEMUX_HAVE_QUEUES;
	seg->accept_queue = 1;
	seg->accept_limit = 128;
	shows(put_why, " queue 1/128");
}

static void test_lines(void **state)
{
	struct out out;
	char path[32], shown[EXPLAIN_MAX];
	struct event from;

	(void)state;
	assert_int_equal(explain_line("", 5), 0);
	assert_int_equal(explain_line("a bc", 4), 4);
	assert_int_equal(explain_line("a bcd", 4), 1);
	assert_int_equal(explain_line("abcd e", 4), 4);
	assert_int_equal(explain_line("abcdefg h", 4), 7);
	/* The longest that there may be. */
	make(DEMUX_LISTENER);
	seg->ends = make_ends("2001:db8:1111:2222:3333:4444:5555:6666", 65535,
			      "2001:db8:1111:2222:3333:4444:5555:7777", 65535);
	give_sock(&record.more, make_listener(9, "::", 65535));
	for (uint64_t id = 1; why->candidates < DEMUX_CANDIDATES; id++)
		add_candidate(id, -32768, 0xff, UINT32_MAX);
	why->candidates = UINT32_MAX;
	in_slot(UINT32_MAX, UINT32_MAX);
	has(DEMUX_WHY_GROUP | DEMUX_WHY_GROUP_CHOICE | DEMUX_WHY_GROUP_HASH);
	why->group_size = why->group_hash = why->group_index = UINT32_MAX;
	why->group_by = DEMUX_GROUP_BY_HASH;
	seg->have |= DEMUX_HAVE_QUEUES | DEMUX_HAVE_SK_LOOKUP;
	seg->accept_queue = seg->accept_limit = seg->syn_queue = UINT32_MAX;
	set_detail(DEMUX_COOKIE_SENT);
	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	from = event();
	text_detail_explain(&out, &from, false);
	out_end(&out);
	out_close(&out);
	shown[read_file(path, shown, sizeof(shown) - 1)] = '\0';
	unlink(path);
	assert_contains(shown, "keeps nothing of the SYN.\n");
	for (char *line = strtok(shown, "\n"); line;
	     line = strtok(NULL, "\n")) {
		assert_true(strlen(line) <= 100);
		assert_int_equal(strspn(line, " "), 16);
		for (const char *at = line; *at; at++)
			assert_in_range(*at, ' ', '~');
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_sk_lookup),
	cmocka_unit_test(test_candidates),
	cmocka_unit_test(test_candidates_beside_sk_lookup),
	cmocka_unit_test(test_rules),
	cmocka_unit_test(test_group),
	cmocka_unit_test(test_columns),
	cmocka_unit_test(test_lines),
};

RUN("explain_why", tests)
