// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_snapshot.c - user/snapshot.c without its iterators, which need root:
 * this program's own sockets, by sock_diag and /proc. tests/live has the rest.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "records.h"
#include "snapshot.h"

static struct demux_config config;
static int listener, client, conn, again;
static uint16_t port;

static int begin(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t size = sizeof(addr);
	struct stat about;

	(void)state;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&addr, size) || listen(listener, 5) ||
	    getsockname(listener, (void *)&addr, &size) ||
	    connect(client, (void *)&addr, size))
		return -1;
	conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	again = fcntl(conn, F_DUPFD_CLOEXEC, 0);
	port = ntohs(addr.sin_port);
	config = (struct demux_config){ .families = DEMUX_IPV4 };
	config.ports[port >> 3] = 1 << (port & 7);
	if (!stat("/proc/self/ns/net", &about))
		config.netns = about.st_ino;
	return again < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	close(listener);
	close(client);
	close(conn);
	close(again);
	return 0;
}

static struct snapshot *take(void)
{
	struct snapshot *snapshot =
		snapshot_new("tcp_v4_rcv,iter_tcp,iter_task_file");

	assert_non_null(snapshot);
	assert_int_equal(snapshot_take(snapshot, &config), 0);
	return snapshot;
}

static void test_own_sockets(void **state)
{
	struct snapshot *snapshot = take();
	const struct demux_accept *record;
	unsigned int fds = 0, listens = 0;
	uint64_t last_ns = 0;
	struct stat about;

	(void)state;
	assert_null(snapshot_next(snapshot, 0));
	while ((record = snapshot_next(snapshot, UINT64_MAX))) {
		assert_true(record->head.mono_ns >= last_ns);
		last_ns = record->head.mono_ns;
		assert_int_equal(record->sock.flags, DEMUX_SOCK_BY_ENDS);
		assert_int_equal(record->sock.ends.lport, port);
		assert_int_equal(record->sock.netns, config.netns);
		assert_int_equal(record->have & ~DEMUX_HAVE_COOKIE,
				 DEMUX_HAVE_OWNER | DEMUX_HAVE_FD |
					 DEMUX_HAVE_INODE);
		assert_int_equal(record->pid, getpid());
		assert_int_equal(record->uid, getuid());
		assert_memory_equal(record->comm, "test_snapshot", 14);
		assert_int_equal(fstat(record->fd, &about), 0);
		assert_int_equal(record->inode, about.st_ino);
		listens += record->sock.state == S_LISTEN;
		fds |= 1u << record->fd;
	}
	if (!last_ns) {
		print_message("skipped: no sock_diag here\n");
		snapshot_free(snapshot);
		skip();
	}
	assert_int_equal(listens, 1);
	assert_int_equal(fds, 1u << listener | 1u << conn | 1u << again);
	assert_null(snapshot_next(snapshot, UINT64_MAX));
	snapshot_free(snapshot);
}

static void test_of_a_process(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	config.pid = getpid();
	snapshot = take();
	for (int i = 0; i < 3; i++)
		if (!snapshot_next(snapshot, UINT64_MAX) && !i)
			skip();
	assert_null(snapshot_next(snapshot, UINT64_MAX));
	snapshot_free(snapshot);
	config.pid = getppid();
	snapshot = take();
	assert_null(snapshot_next(snapshot, UINT64_MAX));
	snapshot_free(snapshot);
}

/* Of the cgroup of a socket sock_diag does not tell enough. */
static void test_of_a_cgroup(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	config.cgroup = 1;
	snapshot = take();
	assert_null(snapshot_next(snapshot, UINT64_MAX));
	snapshot_free(snapshot);
	snapshot_free(NULL);
}

static void test_records_grow(void **state)
{
	struct records records = { 0 };
	struct demux_accept record = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		record.fd = i;
		assert_int_equal(records_add(&records, &record), 0);
	}
	assert_int_equal(records.count, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(records.all[i].fd, i);
	assert_int_equal(records_reserve(&records, 5000), 0);
	assert_true(records.room >= 6000);
	assert_int_equal(records.all[999].fd, 999);
	records_free(&records);
	assert_null(records.all);
}

static const struct CMUnitTest tests[] = {
	TEST(test_own_sockets),
	TEST(test_of_a_process),
	TEST(test_of_a_cgroup),
	cmocka_unit_test(test_records_grow),
};

RUN("snapshot", tests)
