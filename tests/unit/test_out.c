// SPDX-License-Identifier: GPL-2.0-only
/* test_out.c - user/out.c: whole records, and the first error. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "out.h"

#define KB 1024

static void test_whole_records_only(void **state)
{
	char path[32], text[100];
	struct out out;

	(void)state;
	make_file(path, "old and longer", 14);
	assert_int_equal(out_open(&out, path), 0);
	assert_string_equal(out.name, path);
	assert_false(out.tty);
	assert_int_equal(read_file(path, text, sizeof(text)), 14);
	assert_int_equal(out_begin(&out), 0);
	assert_int_equal(read_file(path, text, sizeof(text)), 0);
	out_text(&out, "one ");
	out_number(&out, 0);
	out_spaces(&out, 2);
	out_number(&out, UINT64_MAX);
	out_bytes(&out, "\0\n", 2);
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(read_file(path, text, sizeof(text)), 0);
	assert_int_equal(out_end(&out), 0);
	out_text(&out, "begun");
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(read_file(path, text, sizeof(text)), 29);
	assert_memory_equal(text, "one 0  18446744073709551615\0\n", 29);
	out_text(&out, ", done");
	out_end(&out);
	out_text(&out, "never ended");
	assert_int_equal(out_close(&out), 0);
	assert_int_equal(read_file(path, text, sizeof(text)), 40);
	assert_memory_equal(text + 29, "begun, done", 11);
	unlink(path);
}

/* A start that fails ends there. */
static void test_old_content_stays(void **state)
{
	char path[32], text[100];
	struct out out;

	(void)state;
	make_file(path, "old", 3);
	assert_int_equal(out_open(&out, path), 0);
	assert_int_equal(out_close(&out), 0);
	assert_int_equal(read_file(path, text, sizeof(text)), 3);
	unlink(path);
}

/* The buffer grows for one record, and empties itself between records. */
static void test_much(void **state)
{
	static char chunk[100 * KB], back[700 * KB];
	char path[32];
	struct out out;

	(void)state;
	make_file(path, "", 0);
	assert_int_equal(out_open(&out, path), 0);
	memset(chunk, 'x', sizeof(chunk));
	for (int i = 0; i < 6; i++)
		out_bytes(&out, chunk, sizeof(chunk));
	assert_int_equal(read_file(path, back, sizeof(back)), 0);
	out_end(&out);
	assert_int_equal(read_file(path, back, sizeof(back)), 600 * KB);
	assert_int_equal(out.used, 0);
	out_spaces(&out, 63 * KB);
	out_end(&out);
	assert_int_equal(read_file(path, back, sizeof(back)), 600 * KB);
	out_spaces(&out, KB);
	out_end(&out);
	assert_int_equal(read_file(path, back, sizeof(back)), 664 * KB);
	assert_int_equal(back[600 * KB - 1], 'x');
	assert_int_equal(back[600 * KB], ' ');
	assert_int_equal(out_close(&out), 0);
	unlink(path);
}

static void test_cannot_open(void **state)
{
	struct out out;
	int kept;

	(void)state;
	assert_int_equal(out_open(&out, "/no/such/dir/file"), -ENOENT);
	assert_int_equal(out_open(&out, "/tmp"), -EISDIR);
	kept = dup(STDOUT_FILENO);
	fflush(stdout);
	close(STDOUT_FILENO);
	assert_int_equal(out_open(&out, "-"), -EBADF);
	dup2(kept, STDOUT_FILENO);
	close(kept);
}

static void test_standard_output(void **state)
{
	struct capture capture = capture_begin(STDOUT_FILENO);
	struct out out;
	int err = out_open(&out, "-");
	int keeps;

	(void)state;
	out_text(&out, "line\n");
	out_end(&out);
	err |= out_close(&out);
	/* What else uses standard output can go on doing so. */
	keeps = write(STDOUT_FILENO, "rest", 4);
	assert_string_equal(capture_end(&capture), "line\nrest");
	assert_int_equal(err, 0);
	assert_int_equal(keeps, 4);
	assert_string_equal(out.name, "standard output");
}

/* Where a standard descriptor is closed, the output must not become it: what
 * is said on standard error would end in a recording. */
static void test_low_descriptors_are_left_alone(void **state)
{
	int kept = dup(STDIN_FILENO), err, fd;
	struct out out;

	(void)state;
	close(STDIN_FILENO);
	err = out_open(&out, "-");
	fd = out.fd;
	out_close(&out);
	dup2(kept, STDIN_FILENO);
	close(kept);
	assert_int_equal(err, 0);
	assert_true(fd >= 3);
}

static void test_disk_full(void **state)
{
	struct out out;

	(void)state;
	assert_int_equal(out_open(&out, "/dev/full"), 0);
	out_text(&out, "line\n");
	assert_int_equal(out_end(&out), 0);
	assert_int_equal(out_flush(&out), -ENOSPC);
	/* The first error stays, and nothing is kept for later. */
	for (int i = 0; i < 1000; i++)
		out_spaces(&out, KB);
	assert_int_equal(out_end(&out), -ENOSPC);
	assert_true(out.size < 300 * KB);
	assert_int_equal(out_close(&out), -ENOSPC);
	/* And it is found at close too. */
	assert_int_equal(out_open(&out, "/dev/full"), 0);
	out_text(&out, "line\n");
	out_end(&out);
	assert_int_equal(out_close(&out), -ENOSPC);
}

static void test_closed_pipe(void **state)
{
	int ends[2], kept = dup(STDOUT_FILENO);
	struct out out;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	fflush(stdout);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	assert_int_equal(out_open(&out, "-"), 0);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	close(ends[0]);
	out_text(&out, "line\n");
	out_end(&out);
	assert_int_equal(out_flush(&out), -EPIPE);
	assert_int_equal(out_close(&out), -EPIPE);
}

static void *drain(void *context)
{
	char bytes[4 * KB];
	size_t total = 0;
	ssize_t got;

	usleep(50000);
	while ((got = read(*(int *)context, bytes, sizeof(bytes))) > 0)
		total += got;
	return (void *)total;
}

/* A pipe that is full and non-blocking, as a parent may hand it on. */
static void test_slow_reader(void **state)
{
	pthread_t reader;
	void *total;
	int ends[2];
	struct out out;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0);
	assert_int_equal(out_open(&out, "/dev/null"), 0);
	dup2(ends[1], out.fd);
	close(ends[1]);
	pthread_create(&reader, NULL, drain, &ends[0]);
	for (int i = 0; i < 500; i++) {
		out_spaces(&out, KB);
		assert_int_equal(out_end(&out), 0);
	}
	assert_int_equal(out_close(&out), 0);
	pthread_join(reader, &total);
	close(ends[0]);
	assert_int_equal((size_t)total, 500 * KB);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_whole_records_only),
	cmocka_unit_test(test_old_content_stays),
	cmocka_unit_test(test_much),
	cmocka_unit_test(test_cannot_open),
	cmocka_unit_test(test_standard_output),
	cmocka_unit_test(test_low_descriptors_are_left_alone),
	cmocka_unit_test(test_disk_full),
	cmocka_unit_test(test_closed_pipe),
	cmocka_unit_test(test_slow_reader),
};

RUN("out", tests)
