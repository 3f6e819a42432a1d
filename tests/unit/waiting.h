/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * waiting.h - what the tests of segments that wait for their verdict share.
 */
#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#include "judged.h"

#include "held.h"

#define MS          1000000ull
#define LISTENER_ID 200

static struct held held;

static int end_held(void **state)
{
	held_free(&held);
	held = (struct held){ 0 };
	return end(state);
}

/* As pipeline.c does; whether it is held. */
static inline bool comes(const void *record)
{
	struct judge_wait wait;
	const char *problem;
	bool is_held = held.first;

	assert_int_equal(decode(&event, record,
				((const struct demux_head *)record)->len,
				&problem),
			 0);
	if (!is_held && !judge_waits(&model, &event, &wait)) {
		event = feed(&model, record);
		return false;
	}
	assert_int_equal(held_add(&held, event.head), 0);
	held_see(&held, &event);
	if (!is_held)
		held_wait(&held, &wait);
	return true;
}

static inline void close_on(uint32_t cpu, uint64_t mono_ns, uint32_t how,
			    bool is_received)
{
	struct demux_close close =
		make_close(mono_ns, how, make_sock(100, S_CLOSE, client(4)));

	close.head.cpu = cpu;
	close.is_received = is_received;
	assert_true(comes(&close));
}

/* It is, and has this verdict; what came after it goes on. */
static inline void decided(enum verdict verdict, const char *why)
{
	struct judge_wait wait;
	struct held_record *one = held_next(&held, &wait, &proof.judge.waited);

	assert_non_null(one);
	assert_ptr_equal(proof.judge.waited, &wait);
	expect((struct demux_segment_more *)one->head, verdict, why);
	free(one);
	while ((one = held_next(&held, &wait, &proof.judge.waited))) {
		assert_null(proof.judge.waited);
		event = feed(&model, one->head);
		free(one);
	}
	assert_null(held.first);
}

static inline void nothing_decided(void)
{
	struct judge_wait wait;
	const struct judge_wait *waited;

	assert_non_null(held.first);
	assert_null(held_next(&held, &wait, &waited));
	assert_null(waited);
}

/* The first one's time is over, and the next one waits too, for what may be behind
 * it. Returns the fate of the first one's. */
static inline enum judge_fate next_waits(void)
{
	const struct judge_wait *waited;
	struct judge_wait wait;
	struct held_record *one = held_next(&held, &wait, &waited);
	enum judge_fate fate = waited ? waited->fate : FATE_UNKNOWN;
	const char *problem;

	free(one);
	if (!held.first)
		return fate;
	assert_int_equal(decode(&event, held.first->head, held.first->head->len,
				&problem),
			 0);
	assert_true(judge_waits(&model, &event, &wait));
	held_wait(&held, &wait);
	return fate;
}

static inline void open_connection(uint64_t mono_ns)
{
	struct demux_segment_more open = make_match(mono_ns, 100, client(4));

	assert_false(comes(&open));
}

/* A listener gets on CPU 1 what that connection should have. */
static inline struct demux_segment_more at_listener(uint64_t mono_ns)
{
	struct demux_segment_more more =
		make_segment(mono_ns, DEMUX_LISTENER, client(4));

	give_sock(&more, make_listener(LISTENER_ID, "0.0.0.0", 80));
	more.segment.head.cpu = 1;
	return more;
}

/* At 1 s. */
static inline void pass_by(void)
{
	struct demux_segment_more more = at_listener(1000 * MS);

	open_connection(1);
	assert_true(comes(&more));
	nothing_decided();
}

/* The connection gets a segment that much later. */
static inline void found(uint32_t cpu, uint64_t later_ns)
{
	struct demux_segment_more more =
		make_match(1000 * MS + later_ns, 100, client(4));

	more.segment.head.cpu = cpu;
	assert_true(comes(&more));
}

#undef TEST
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end_held)

#endif
