// SPDX-License-Identifier: GPL-2.0-only
/* test_proof_claim.c - user/proof.c: what the whole trace proves, and when
 * nothing. */
#include "test.h"

#include "proof.h"

static struct model model;
static struct proof proof;
static struct recording_head head;
static struct demux_end last;

/* Ten good segments and an end that fits them. */
static int begin(void **state)
{
	(void)state;
	model_init(&model);
	proof = (struct proof){ .counts = { [VERDICT_PROVED] = 10 } };
	head = make_head();
	last = make_end(9, 10, 3);
	return 0;
}

/* The kernel emitted that many, and saw them. */
static void emit(uint64_t count)
{
	last.counters.seen += count - last.counters.emitted;
	last.counters.emitted = count;
}

static int end(void **state)
{
	(void)state;
	model_free(&model);
	return 0;
}

static struct summary sum_up(const struct demux_end *with)
{
	struct summary summary;

	proof_end(&proof, &model, &head, with, &summary);
	assert_int_equal(summary.is_proved, !summary.doubt_count);
	proof_free(&summary);
	return summary;
}

/* Refused for this reason and no other. */
static void expect_doubt(const struct demux_end *with, const char *doubt)
{
	struct summary summary = sum_up(with);

	assert_false(summary.is_proved);
	assert_int_equal(summary.doubt_count, 1);
	assert_contains(summary.doubts[0], doubt);
}

static void test_proved(void **state)
{
	struct summary summary = sum_up(&last);

	(void)state;
	assert_true(summary.is_proved);
	assert_true(summary.complete);
	assert_int_equal(summary.segments, 10);
	assert_int_equal(summary.proved, 10);
	assert_int_equal(summary.filtered, 3);
	assert_int_equal(summary.lost, 0);
	assert_int_equal(summary.skipped, 0);
	assert_ptr_equal(summary.head, &head);
	/* An explained exception does not refuse the claim. */
	proof.counts[VERDICT_EXPLAINED] = 2;
	emit(12);
	summary = sum_up(&last);
	assert_true(summary.is_proved);
	assert_int_equal(summary.explained, 2);
	assert_int_equal(summary.segments, 12);
	/* Frames for others are no segments of this host. */
	last.counters.not_host = 5;
	summary = sum_up(&last);
	assert_true(summary.is_proved);
	assert_int_equal(summary.not_host, 5);
}

static void test_unexplained(void **state)
{
	(void)state;
	proof.counts[VERDICT_UNEXPLAINED] = 1;
	emit(11);
	expect_doubt(&last, "1 segments are unexplained");
}

static void test_strange_accepts(void **state)
{
	(void)state;
	proof.strange_accepts = 2;
	expect_doubt(&last, "2 accepted sockets were born of another");
}

static void test_kernel_counters(void **state)
{
	struct demux_end with;
	struct summary summary;

	(void)state;
	with = last;
	with.counters.lost = 4;
	expect_doubt(&with, "4 segments were lost");
	assert_int_equal(sum_up(&with).lost, 4);
	with = last;
	with.counters.lost_other = 5;
	expect_doubt(&with, "5 accept, listen or close");
	assert_int_equal(sum_up(&with).lost_other, 5);
	with = last;
	with.counters.skipped = 6;
	expect_doubt(&with, "6 segments could not be followed");
	with = last;
	with.unseen = 7;
	expect_doubt(&with, "7 segments could not be followed");
	with.counters.skipped = 6;
	expect_doubt(&with, "13 segments");
	assert_int_equal(sum_up(&with).skipped, 13);
	with = last;
	with.counters.stuck = 8;
	expect_doubt(&with, "8 notes did not fit");
	with.counters.lost = 1;
	summary = sum_up(&with);
	assert_int_equal(summary.doubt_count, 2);
	assert_int_equal(summary.stuck, 8);
}

static void test_damage(void **state)
{
	(void)state;
	proof.undecodable = 2;
	expect_doubt(&last, "2 records are damaged");
	proof.undecodable = 0;
	proof.unknown = 3;
	expect_doubt(&last, "3 records are of a kind");
}

static void test_missing_hooks(void **state)
{
	(void)state;
	strcpy(head.missing, "tcp_check_req tcp_child_process");
	expect_doubt(&last, "tcp_check_req tcp_child_process");
}

static void test_cut(void **state)
{
	struct summary summary;

	(void)state;
	expect_doubt(NULL, "cut");
	summary = sum_up(NULL);
	assert_false(summary.complete);
	assert_int_equal(summary.segments, 10);
}

static void test_not_all_arrived(void **state)
{
	(void)state;
	emit(11);
	expect_doubt(&last, "handed over 11 segments, but 10 arrived");
	emit(9);
	expect_doubt(&last, "handed over 9 segments, but 10 arrived");
	/* What a replay filters out did arrive. */
	proof.filtered = 1;
	emit(11);
	assert_true(sum_up(&last).is_proved);
	assert_int_equal(sum_up(&last).filtered, 4);
}

/* Begun on some CPU, and never ended. */
static void test_seen_and_not_told(void **state)
{
	(void)state;
	last.counters.seen += 2;
	expect_doubt(&last, "2 segments could not be followed");
}

/* --count: what was seen is proved, what came later was not asked for. */
static void test_stopped_early(void **state)
{
	(void)state;
	proof.stopped_early = true;
	emit(5000);
	assert_true(sum_up(&last).is_proved);
	proof.counts[VERDICT_UNEXPLAINED] = 1;
	expect_doubt(&last, "unexplained");
	proof.counts[VERDICT_UNEXPLAINED] = 0;
	last.counters.lost = 1;
	expect_doubt(&last, "lost");
}

static void test_nothing_seen(void **state)
{
	(void)state;
	proof.counts[VERDICT_PROVED] = 0;
	emit(0);
	expect_doubt(&last, "no segment was seen");
}

static void test_every_doubt_at_once(void **state)
{
	struct summary summary;

	(void)state;
	proof = (struct proof){ .undecodable = 1, .unknown = 1 };
	memset(&last.counters, 1, sizeof(last.counters));
	memset(head.missing, 'x', sizeof(head.missing) - 1);
	summary = sum_up(&last);
	assert_int_equal(summary.doubt_count, 9);
	for (size_t i = 0; i < summary.doubt_count; i++)
		assert_true(strlen(summary.doubts[i]) <
			    sizeof(summary.doubts[i]));
}

static void test_sums_of_the_model(void **state)
{
	struct demux_ends ends = make_ends("10.0.0.1", 81, "10.0.0.2", 4);
	struct demux_segment_more more = make_match(1, 100, ends);
	struct demux_accept accept = make_accept(
		2, 3, "x", 4, 0, make_sock(100, S_ESTABLISHED, ends));
	struct summary summary;

	(void)state;
	feed(&model, &more);
	feed(&model, &accept);
	assert_non_null(ports_get(&model.ports, 80));
	proof_end(&proof, &model, &head, &last, &summary);
	assert_int_equal(summary.accepted, 1);
	assert_int_equal(summary.port_count, 2);
	assert_int_equal(summary.ports[0]->port, 80);
	assert_int_equal(summary.ports[1]->port, 81);
	proof_free(&summary);
}

static const struct CMUnitTest tests[] = {
	TEST(test_proved),
	TEST(test_unexplained),
	TEST(test_strange_accepts),
	TEST(test_kernel_counters),
	TEST(test_damage),
	TEST(test_missing_hooks),
	TEST(test_cut),
	TEST(test_not_all_arrived),
	TEST(test_stopped_early),
	TEST(test_seen_and_not_told),
	TEST(test_nothing_seen),
	TEST(test_every_doubt_at_once),
	TEST(test_sums_of_the_model),
};

RUN("proof_claim", tests)
