/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test.h - what all unit tests share: cmocka, records through the stages, and
 * what a function wrote to a file descriptor.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "make.h"
#include "model.h"

#define RUN(name, tests)                                                     \
	int main(void)                                                       \
	{                                                                    \
		return cmocka_run_group_tests_name(name, tests, NULL, NULL); \
	}

/* One that begins and ends as all of its file do; one that only begins so. */
#define TEST(name)       cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_BEGUN(name) cmocka_unit_test_setup(name, begin)

/* Decodes and applies a good record. */
static inline struct event feed(struct model *model, const void *record)
{
	const struct demux_head *head = record;
	const char *problem;
	struct event event;

	assert_int_equal(decode(&event, record, head->len, &problem), 0);
	assert_int_equal(model_apply(model, &event), 0);
	return event;
}

/* --- what is written ------------------------------------------------------ */

struct capture {
	int fd; /* that is captured */
	int kept; /* where it went before */
	int file;
	char *text;
};

static inline struct capture capture_begin(int fd)
{
	struct capture capture = { .fd = fd };

	fflush(NULL);
	capture.kept = dup(fd);
	capture.file = memfd_create("captured", 0);
	assert_true(capture.kept >= 0 && capture.file >= 0);
	dup2(capture.file, fd);
	return capture;
}

/* What was written since; stays until the next call. */
static inline const char *capture_end(struct capture *capture)
{
	static char text[1 << 20];
	ssize_t got;

	fflush(NULL);
	dup2(capture->kept, capture->fd);
	close(capture->kept);
	got = pread(capture->file, text, sizeof(text) - 1, 0);
	close(capture->file);
	assert_true(got >= 0);
	text[got] = '\0';
	return text;
}

/* A new file with these bytes; @path gets its name. */
static inline void make_file(char path[32], const void *bytes, size_t len)
{
	int fd;

	strcpy(path, "/tmp/sockdemux-unit.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static inline size_t read_file(const char *path, char *to, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t got;

	assert_non_null(file);
	got = fread(to, 1, size, file);
	fclose(file);
	return got;
}

#define assert_contains(text, what)                              \
	do {                                                     \
		if (!strstr(text, what))                         \
			fail_msg("no '%s' in '%s'", what, text); \
	} while (0)

#define assert_lacks(text, what)                              \
	do {                                                  \
		if (strstr(text, what))                       \
			fail_msg("'%s' in '%s'", what, text); \
	} while (0)

#endif
