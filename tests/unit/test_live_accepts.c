// SPDX-License-Identifier: GPL-2.0-only
/* test_live_accepts.c - an accept and its descriptor, told apart. */
#include "test.h"

#include "live_accepts.h"

#define MS 1000000ull

static struct live_accepts accepts;

static int begin(void **state)
{
	(void)state;
	live_accepts_init(&accepts);
	return 0;
}

static int end(void **state)
{
	(void)state;
	live_accepts_free(&accepts);
	return 0;
}

static struct demux_accept make(uint64_t mono_ns, uint64_t id)
{
	struct demux_accept accept = {
		.head = { .type = DEMUX_ACCEPT,
			  .len = sizeof(accept),
			  .mono_ns = mono_ns },
		.sock = { .id = id },
	};

	return accept;
}

static struct demux_accept *pass_accept(uint64_t mono_ns, uint64_t id)
{
	struct demux_accept accept = make(mono_ns, id);
	size_t len = sizeof(accept);

	return live_accepts_pass(&accepts, &accept, &len);
}

static struct demux_accept *pass_fd(uint64_t id, int fd, size_t *len)
{
	struct demux_fd record = {
		.head = { .type = DEMUX_FD, .len = sizeof(record) },
		.sock = id,
		.fd = fd,
	};

	*len = sizeof(record);
	return live_accepts_pass(&accepts, &record, len);
}

static void test_joined(void **state)
{
	struct demux_accept *out;
	size_t len;

	(void)state;
	assert_null(pass_accept(1, 100));
	assert_null(pass_accept(2, 200));
	out = pass_fd(200, 7, &len);
	assert_non_null(out);
	assert_int_equal(len, sizeof(*out));
	assert_int_equal(out->sock.id, 200);
	assert_int_equal(out->fd, 7);
	assert_true(out->have & DEMUX_HAVE_FD);
	out = pass_fd(100, 0, &len);
	assert_int_equal(out->sock.id, 100);
	assert_int_equal(out->fd, 0);
	/* Nobody waits any more. */
	assert_null(pass_fd(100, 0, &len));
	assert_false(live_accepts_due(&accepts, UINT64_MAX));
}

static void test_others_pass(void **state)
{
	struct demux_accept whole = make(1, 100);
	struct demux_head other = { .type = DEMUX_CLOSE, .len = sizeof(other) };
	size_t len = sizeof(other);

	(void)state;
	assert_ptr_equal(live_accepts_pass(&accepts, &other, &len), &other);
	whole.have = DEMUX_HAVE_FD;
	len = sizeof(whole);
	assert_ptr_equal(live_accepts_pass(&accepts, &whole, &len), &whole);
	assert_false(live_accepts_due(&accepts, UINT64_MAX));
}

static void test_given_up_in_order(void **state)
{
	struct demux_accept *out;
	size_t len;

	(void)state;
	for (int i = 1; i <= 4; i++)
		pass_accept(i * 100 * MS, i);
	assert_false(live_accepts_due(&accepts, 299 * MS));
	assert_null(live_accepts_give_up(&accepts, 299 * MS));
	/* The last one leaves from the end, another comes there. */
	assert_non_null(pass_fd(4, 1, &len));
	pass_accept(500 * MS, 5);
	assert_non_null(pass_fd(2, 1, &len));
	assert_true(live_accepts_due(&accepts, 500 * MS));
	out = live_accepts_give_up(&accepts, 500 * MS);
	assert_int_equal(out->sock.id, 1);
	assert_false(out->have & DEMUX_HAVE_FD);
	out = live_accepts_give_up(&accepts, 500 * MS);
	assert_int_equal(out->sock.id, 3);
	assert_null(live_accepts_give_up(&accepts, 500 * MS));
	out = live_accepts_give_up(&accepts, UINT64_MAX);
	assert_int_equal(out->sock.id, 5);
	assert_null(live_accepts_give_up(&accepts, UINT64_MAX));
}

/* The rest is freed at the end: the sanitizer looks. */
static void test_left_over(void **state)
{
	(void)state;
	for (int i = 1; i < 1000; i++)
		assert_null(pass_accept(i, i));
}

static const struct CMUnitTest tests[] = {
	TEST(test_joined),
	TEST(test_others_pass),
	TEST(test_given_up_in_order),
	TEST(test_left_over),
};

RUN("live_accepts", tests)
