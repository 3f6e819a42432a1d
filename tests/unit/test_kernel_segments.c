// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_kernel_segments.c - user/kernel_segments.c: what the kernel counts itself.
 */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel_segments.h"

/* A SYN, the SYN|ACK and an ACK, on loopback. */
static void shake_hands(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(at);

	assert_int_equal(bind(listener, (void *)&at, len), 0);
	assert_int_equal(getsockname(listener, (void *)&at, &len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(client, (void *)&at, len), 0);
	close(client);
	close(listener);
}

static void test_grown(void **state)
{
	struct kernel_segments segments;
	uint64_t grown;

	(void)state;
	kernel_segments_begin(&segments);
	assert_true(segments.fd >= 0);
	shake_hands();
	grown = kernel_segments_grown(&segments);
	assert_in_range(grown, 3, 1000);
	assert_int_equal(segments.fd, -1);
	assert_int_equal(kernel_segments_grown(&segments), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_grown),
};

RUN("kernel_segments", tests)
