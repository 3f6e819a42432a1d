// SPDX-License-Identifier: GPL-2.0-only
/* test_source_replay.c - user/source_replay.c: good, cut, foreign, damaged. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "source.h"

#define RECORDS 5

/* A recording as it lies in a file. */
static struct recording {
	struct recording_head head;
	struct demux_segment segments[RECORDS];
	struct demux_end end;
} recording;

static const char *words = "";
static size_t taken, wanted_most;

static int begin(void **state)
{
	struct demux_ends ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4);

	(void)state;
	recording.head = make_head();
	for (int i = 0; i < RECORDS; i++)
		recording.segments[i] =
			make_segment(i + 1, DEMUX_NONE, ends).segment;
	recording.end = make_end(9, RECORDS, 0);
	recording.end.head.len = sizeof(recording.end);
	taken = 0;
	wanted_most = 0;
	return 0;
}

static int take(void *context, const void *record, size_t len)
{
	const struct demux_head *head = record;

	(void)context;
	assert_int_equal(head->len, len);
	assert_int_equal((uintptr_t)record % 8, 0);
	if (head->type == DEMUX_SEGMENT)
		assert_int_equal(head->mono_ns, taken + 1);
	else
		assert_int_equal(head->type, DEMUX_END);
	taken++;
	return wanted_most && taken >= wanted_most;
}

/* Reads all of @path; the first error, or -1 where it cannot be opened. What
 * was said is in words. */
static int replay(const char *path)
{
	struct capture capture = capture_begin(STDERR_FILENO);
	struct source *source = source_replay(path);
	int err = -1;

	if (source && source->begin(source)) {
		source->close(source);
		source = NULL;
	}
	for (int i = 0; source && i < 100 && !source->ended; i++)
		err = source->read(source, take, NULL);
	words = capture_end(&capture);
	if (source) {
		assert_false(source->is_live);
		assert_true(source->ended);
		assert_int_equal(source->finish(source, take, NULL), 0);
		source->close(source);
	}
	return err;
}

static int replay_bytes(const void *bytes, size_t len)
{
	char path[32];
	int err;

	make_file(path, bytes, len);
	err = replay(path);
	unlink(path);
	return err;
}

static void expect_refused(const char *why)
{
	assert_int_equal(replay_bytes(&recording, sizeof(recording)), -1);
	assert_int_equal(taken, 0);
	assert_contains(words, why);
	recording.head = make_head();
}

static void test_whole(void **state)
{
	(void)state;
	assert_int_equal(replay_bytes(&recording, sizeof(recording)), 0);
	assert_int_equal(taken, RECORDS + 1);
	assert_string_equal(words, "");
}

static void test_foreign(void **state)
{
	(void)state;
	assert_int_equal(replay_bytes("", 0), -1);
	assert_contains(words, "no recording of sockdemux-trace");
	assert_int_equal(replay_bytes("hello\n", 6), -1);
	assert_contains(words, "no recording of sockdemux-trace");
	assert_int_equal(replay_bytes(&recording, sizeof(recording.head) - 1),
			 -1);
	assert_contains(words, "is cut: it ends before its first record");
	recording.head.magic[7] = 'x';
	expect_refused("no recording of sockdemux-trace");
	recording.head.order = __builtin_bswap32(RECORDING_ORDER);
	expect_refused("byte order");
	recording.head.abi = DEMUX_ABI + 1;
	expect_refused("format 4, and this version reads format 3");
	recording.head.len = sizeof(recording.head) - 8;
	expect_refused("bad length");
	recording.head.len = sizeof(recording.head) + 4;
	expect_refused("bad length");
	recording.head.len = 65528;
	expect_refused("bad length");
}

static void test_cut(void **state)
{
	size_t border = offsetof(struct recording, segments[3]);

	(void)state;
	/* At a border: nothing shows it but that the end is missing. */
	assert_int_equal(replay_bytes(&recording, border), 0);
	assert_int_equal(taken, 3);
	assert_string_equal(words, "");
	taken = 0;
	assert_int_equal(replay_bytes(&recording, border + 8), 0);
	assert_int_equal(taken, 3);
	assert_contains(words, "ends in the middle of a record");
	taken = 0;
	assert_int_equal(replay_bytes(&recording, border + 151), 0);
	assert_int_equal(taken, 3);
	assert_contains(words, "ends in the middle of a record");
	taken = 0;
	assert_int_equal(replay_bytes(&recording, sizeof(recording.head)), 0);
	assert_int_equal(taken, 0);
	assert_string_equal(words, "");
}

static void test_damaged_length(void **state)
{
	static const uint16_t lens[] = { 0, 8, 20, 153 };
	char at[60];

	(void)state;
	snprintf(at, sizeof(at), "damaged at byte %zu:",
		 offsetof(struct recording, segments[2]));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		begin(NULL);
		recording.segments[2].head.len = lens[i];
		assert_int_equal(replay_bytes(&recording, sizeof(recording)),
				 -EBADMSG);
		assert_int_equal(taken, 2);
		assert_contains(words, at);
	}
}

/* What lies behind the end is not looked at by what reads the records. */
static void test_ends_at_the_end(void **state)
{
	char bytes[sizeof(recording) + 100] = { 0 };

	(void)state;
	memcpy(bytes, &recording, sizeof(recording));
	wanted_most = RECORDS + 1;
	assert_int_equal(replay_bytes(bytes, sizeof(bytes)), 0);
	assert_int_equal(taken, RECORDS + 1);
}

/* A newer writer's head may be longer; the copy's says how long it is. */
static void test_longer_head(void **state)
{
	char bytes[sizeof(recording) + 8] = { 0 }, path[32];
	struct source *source;

	(void)state;
	memcpy(bytes + 8, &recording, sizeof(recording));
	recording.head.len += 8;
	memcpy(bytes, &recording.head, sizeof(recording.head));
	assert_int_equal(replay_bytes(bytes, sizeof(bytes)), 0);
	assert_int_equal(taken, RECORDS + 1);
	make_file(path, bytes, sizeof(bytes));
	source = source_replay(path);
	assert_non_null(source);
	assert_int_equal(source->begin(source), 0);
	/* A sink writes it again, without what this version does not know. */
	assert_int_equal(source->head.len, sizeof(source->head));
	source->close(source);
	unlink(path);
}

static void test_not_a_file(void **state)
{
	(void)state;
	assert_int_equal(replay("/no/such/file"), -1);
	assert_contains(words, "cannot read '/no/such/file': No such file");
	assert_int_equal(replay("/tmp"), -1);
	assert_contains(words, "cannot read '/tmp': Is a directory");
	assert_int_equal(replay("/dev/null"), -1);
	assert_contains(words, "no recording");
}

/* Stops where the pipeline has enough, and goes on from there. */
static void test_enough(void **state)
{
	char path[32];
	struct source *source;

	(void)state;
	make_file(path, &recording, sizeof(recording));
	source = source_replay(path);
	assert_non_null(source);
	assert_int_equal(source->begin(source), 0);
	wanted_most = 2;
	assert_int_equal(source->read(source, take, NULL), 0);
	assert_int_equal(taken, 2);
	assert_false(source->ended);
	wanted_most = 0;
	while (!source->ended)
		assert_int_equal(source->read(source, take, NULL), 0);
	assert_int_equal(taken, RECORDS + 1);
	source->close(source);
	unlink(path);
}

static void *write_bytewise(void *context)
{
	const char *bytes = (const char *)&recording;
	int fd = *(int *)context;

	for (size_t i = 0; i < sizeof(recording); i++)
		if (write(fd, bytes + i, 1) != 1)
			break;
	close(fd);
	return NULL;
}

static void test_pipe(void **state)
{
	int ends[2], kept = dup(STDIN_FILENO), err;
	pthread_t writer;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	pthread_create(&writer, NULL, write_bytewise, &ends[1]);
	err = 0;
	{
		struct source *source = source_replay("-");

		assert_non_null(source);
		err = source->begin(source);
		while (!source->ended && !err)
			err = source->read(source, take, NULL);
		source->close(source);
	}
	pthread_join(writer, NULL);
	dup2(kept, STDIN_FILENO);
	close(kept);
	assert_int_equal(err, 0);
	assert_int_equal(taken, RECORDS + 1);
}

/* More than the buffer holds. */
static void test_long(void **state)
{
	size_t many = 5000, size = many * sizeof(recording.segments[0]);
	char *bytes = malloc(sizeof(recording.head) + size);
	struct demux_segment *to = (void *)(bytes + sizeof(recording.head));

	(void)state;
	memcpy(bytes, &recording.head, sizeof(recording.head));
	for (size_t i = 0; i < many; i++) {
		to[i] = recording.segments[0];
		to[i].head.mono_ns = i + 1;
	}
	assert_int_equal(replay_bytes(bytes, sizeof(recording.head) + size), 0);
	assert_int_equal(taken, many);
	free(bytes);
}

static const struct CMUnitTest tests[] = {
	TEST_BEGUN(test_whole),
	TEST_BEGUN(test_foreign),
	TEST_BEGUN(test_cut),
	TEST_BEGUN(test_damaged_length),
	TEST_BEGUN(test_ends_at_the_end),
	TEST_BEGUN(test_longer_head),
	TEST_BEGUN(test_not_a_file),
	TEST_BEGUN(test_enough),
	TEST_BEGUN(test_pipe),
	TEST_BEGUN(test_long),
};

RUN("source_replay", tests)
