// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_fields.c - user/fields.c and user/fields_summary.c: each column shows
 * what it is named after, and nothing where it is unknown.
 */
#include "test.h"

#include "shown.h"

static struct model_sock child;
static struct summary summary;

static void test_table(void **state)
{
	(void)state;
	for (const struct field *one = fields; one->key; one++) {
		assert_ptr_equal(fields_find(one->key), one);
		assert_non_null(one->get);
		assert_true(one->events);
	}
	assert_null(fields_find("none such"));
	assert_null(fields_find(""));
}

static struct demux_segment_more full_segment(void)
{
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	struct demux_segment_more more = make_match(1500000000, 77, ends);
	struct demux_segment *seg = &more.segment;

	seg->head.cpu = 3;
	seg->payload = 1448;
	seg->segs = 2;
	seg->flags = F_PSH | F_ACK;
	seg->sock.ends = make_ends("10.0.0.3", 81, "10.0.0.4", 4001);
	seg->notes = DEMUX_NOTE_RESET | DEMUX_NOTE_CHECKSUM |
		     DEMUX_NOTE_REPEATED;
	return more;
}

static void test_segment(void **state)
{
	static const struct expected expected[] = {
		{ "event", "segment" },
		{ "mono_ns", "1500000000" },
		{ "time", "2025-11-22T08:26:41.500000000Z" },
		{ "cpu", "3" },
		{ "netns", "4026531840" },
		{ "proto", "tcp" },
		{ "family", "4" },
		{ "laddr", "10.0.0.1" },
		{ "lport", "80" },
		{ "raddr", "10.0.0.2" },
		{ "rport", "4000" },
		{ "flags", "PSH|ACK" },
		{ "seq", "1000" },
		{ "ack", "2000" },
		{ "len", "1448" },
		{ "segs", "2" },
		{ "ifindex", "2" },
		{ "outcome", "established" },
		{ "via", "lookup" },
		{ "sock", "5" },
		{ "sock_state", "ESTABLISHED" },
		{ "sock_laddr", "10.0.0.3" },
		{ "sock_lport", "81" },
		{ "sock_raddr", "10.0.0.4" },
		{ "sock_rport", "4001" },
		{ "sock_ifindex", "-" },
		{ "mapped", "-" },
		{ "child", "7" },
		{ "parent", "6" },
		{ "pid", "42" },
		{ "comm", "srv" },
		{ "fd", "9" },
		{ "reset", "yes" },
		{ "bad_checksum", "yes" },
		{ "repeated_lookup", "yes" },
		{ "verdict", "unexplained" },
		{ "why", "because" },
		{ "tid", "-" },
		{ "inode", "-" },
		{ "backlog", "-" },
		{ NULL, NULL },
	};
	struct demux_segment_more more = full_segment();
	struct event event = event_of(&more);

	(void)state;
	sock = (struct model_sock){ .number = 5,
				    .has_owner = true,
				    .pid = 42,
				    .has_fd = true,
				    .fd = 9,
				    .comm = "srv" };
	parent.number = 6;
	child.number = 7;
	event.sock = &sock;
	event.parent = &parent;
	event.child = &child;
	event.verdict = VERDICT_UNEXPLAINED;
	event.why = "because";
	expect(&event, expected);
	/* The parent that was learned at birth. */
	event.parent = NULL;
	assert_string_equal(get("parent", &event), "-");
	sock.parent = 4;
	assert_string_equal(get("parent", &event), "4");
}

/* Unknown is not zero: without its bit a field is not shown. */
static void test_segment_unknown(void **state)
{
	static const struct {
		uint32_t bit;
		const char *keys[5];
	} cases[] = {
		{ DEMUX_HAVE_ADDRS, { "laddr", "raddr" } },
		{ DEMUX_HAVE_PORTS, { "lport", "rport" } },
		{ DEMUX_HAVE_TCP, { "flags", "seq", "ack", "len" } },
		{ DEMUX_HAVE_NETNS, { "netns" } },
		{ DEMUX_HAVE_OUTCOME, { "outcome" } },
		{ DEMUX_HAVE_VIA, { "via" } },
		{ DEMUX_HAVE_SOCK,
		  { "sock_state", "sock_laddr", "sock_lport", "sock_raddr",
		    "sock_rport" } },
	};
	struct demux_segment_more more = full_segment();
	struct event event = event_of(&more);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t k = 0; k < 5 && cases[i].keys[k]; k++) {
			more.segment.have |= cases[i].bit;
			assert_string_not_equal(get(cases[i].keys[k], &event),
						"-");
			more.segment.have &= ~cases[i].bit;
			assert_string_equal(get(cases[i].keys[k], &event), "-");
			more.segment.have |= cases[i].bit;
		}
	more.segment.sdif = 8;
	more.segment.predicted = DEMUX_PREDICTED_OUTCOME | DEMUX_PREDICTED_SOCK;
	assert_string_equal(get("sdif", &event), "-");
	more.segment.have |= DEMUX_HAVE_SDIF;
	assert_string_equal(get("sdif", &event), "8");
	more.segment.sdif = 0;
	assert_string_equal(get("sdif", &event), "-");
	assert_string_equal(get("predicted", &event), "outcome|sock");
	more.segment.predicted = 0;
	assert_string_equal(get("predicted", &event), "-");
	more.segment.via = DEMUX_ASSIGNED;
	assert_string_equal(get("assigned_by", &event), "-");
	more.segment.have |= DEMUX_HAVE_ASSIGNED_BY;
	more.segment.assigned_by = DEMUX_BY_TPROXY;
	assert_string_equal(get("assigned_by", &event), "tproxy");
	assert_string_equal(get("sk_lookup", &event), "-");
	more.segment.have |= DEMUX_HAVE_SK_LOOKUP;
	more.segment.sk_lookup = 45;
	assert_string_equal(get("sk_lookup", &event), "45");
	more.segment.ifindex = more.segment.notes = 0;
	expect(&event, (struct expected[]){ { "sock", "-" },
					    { "child", "-" },
					    { "parent", "-" },
					    { "pid", "-" },
					    { "comm", "-" },
					    { "fd", "-" },
					    { "ifindex", "-" },
					    { "reset", "-" },
					    { "bad_checksum", "-" },
					    { "repeated_lookup", "-" },
					    { "why", "-" },
					    { "verdict", "-" },
					    { NULL, NULL } });
}

static void test_mapped(void **state)
{
	struct demux_ends mapped =
		make_ends("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 4000);
	struct demux_segment_more more = full_segment();
	struct demux_accept accept = make_accept(
		1, 2, "x", 3, 0, make_sock(9, S_ESTABLISHED, mapped));
	struct event segment = event_of(&more), event = event_of(&accept);

	(void)state;
	more.segment.sock.ends = mapped;
	assert_string_equal(get("mapped", &segment), "yes");
	more.segment.ends.family = 6;
	assert_string_equal(get("mapped", &segment), "-");
	assert_string_equal(get("mapped", &event), "yes");
	accept.sock.ends.raddr[11] = 0xfe;
	assert_string_equal(get("mapped", &event), "-");
	accept.sock.ends = make_ends("::ffff:10.0.0.1", 80, "::", 0);
	assert_string_equal(get("mapped", &event), "-");
	accept.sock.ends = make_ends("fd00::1", 80, "fd00::2", 4000);
	assert_string_equal(get("mapped", &event), "-");
	accept.sock.ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	assert_string_equal(get("mapped", &event), "-");
}

static const char *sum(const char *key, const struct event *event)
{
	for (const struct field *one = summary_fields; one->key; one++)
		if (!strcmp(one->key, key))
			return show(one, event);
	fail_msg("no summary field %s", key);
	return NULL;
}

static void test_summary(void **state)
{
	static const char *const counts[] = { "filtered", "lost", "lost_other",
					      "skipped", "not_host" };
	struct demux_end end = make_end(500000000, 1, 2);
	struct event event = event_of(&end);

	(void)state;
	summary = (struct summary){
		.segments = 1,
		.filtered = 2,
		.lost = 3,
		.lost_other = 4,
		.skipped = 5,
		.not_host = 6,
		.accepted = 7,
		.proved = 8,
		.explained = 9,
		.unexplained = 10,
		.complete = true,
	};
	event.summary = &summary;
	assert_string_equal(sum("event", &event), "summary");
	assert_string_equal(sum("time", &event),
			    "2025-11-22T08:26:40.500000000Z");
	assert_string_equal(sum("mono_ns", &event), "500000000");
	assert_string_equal(sum("segments", &event), "1");
	for (int i = 0; i < 5; i++)
		assert_int_equal(atoi(sum(counts[i], &event)), i + 2);
	assert_string_equal(sum("accepted", &event), "7");
	assert_string_equal(sum("proved", &event), "8");
	assert_string_equal(sum("explained", &event), "9");
	assert_string_equal(sum("unexplained", &event), "10");
	assert_string_equal(sum("verdict", &event), "not_proved");
	assert_string_equal(sum("kernel", &event), "6.12.0-test");
	assert_string_equal(sum("backend", &event), "fentry");
	assert_string_equal(sum("missing", &event), "-");
	summary.is_proved = true;
	assert_string_equal(sum("verdict", &event), "proved");
	strcpy(head.missing, "tcp_check_req");
	assert_string_equal(sum("missing", &event), "tcp_check_req");
	assert_string_equal(sum("coverage", &event), "-");
	strcpy(head.coverage, "napi_poll");
	assert_string_equal(sum("coverage", &event), "napi_poll");
	/* What the kernel counts is unknown where its counters are missing. */
	summary.complete = false;
	end.head.mono_ns = 0;
	for (int i = 0; i < 5; i++)
		assert_string_equal(sum(counts[i], &event), "-");
	assert_string_equal(sum("time", &event), "-");
	assert_string_equal(sum("segments", &event), "1");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_table),           cmocka_unit_test(test_segment),
	cmocka_unit_test(test_segment_unknown), cmocka_unit_test(test_mapped),
	cmocka_unit_test(test_summary),
};

RUN("fields", tests)
