// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_sandbox_sinks.c - user/sandbox.c: nothing that a replay needs is
 * forbidden in any sink.
 */
#include "in_sandbox.h"

#include <fcntl.h>

#include "pipeline.h"

#define SEGMENTS 20000

struct job {
	const char *recording, *output;
	const struct sink_type *type;
	bool is_free;
};

static void replay_into(const void *context)
{
	static struct pipeline pipeline;
	const struct sandbox_needs needs = { .live = false };
	const struct job *job = context;

	pipeline.source = source_replay(job->recording);
	NEED(pipeline.source);
	NEED(!sink_open(&pipeline.sinks[0], job->type, job->output));
	pipeline.sink_count = 1;
	if (!job->is_free)
		enter(&needs);
	NEED(!pipeline_run(&pipeline));
	NEED(!pipeline_close(&pipeline));
}

/* Many sockets, ports and seconds, so that tables grow, much is sorted, and
 * times are put into words anew. */
static void make_recording(char path[32])
{
	struct recording_head head = make_head();
	struct demux_end end = make_end(SEGMENTS * 1000000ull, SEGMENTS, 0);
	FILE *file;

	make_file(path, &head, sizeof(head));
	file = fopen(path, "ae");
	for (int i = 0; i < SEGMENTS; i++) {
		struct demux_ends ends =
			make_ends("10.0.0.1", i % 500 + 1, "10.0.0.2", i);
		struct demux_segment segment =
			make_match(i * 1000000ull, i + 1, ends).segment;

		fwrite(&segment, sizeof(segment), 1, file);
	}
	fwrite(&end, sizeof(end), 1, file);
	fclose(file);
}

static void compare(const struct sink_type *type, const char *recording)
{
	static char expected[16 << 20], found[sizeof(expected)];
	struct job job = { .recording = recording, .type = type };
	char path[32];
	size_t len;

	make_file(path, "", 0);
	job.output = path;
	job.is_free = true;
	assert_int_equal(in_child(replay_into, &job), 0);
	len = read_file(path, expected, sizeof(expected));
	assert_in_range(len, 500000, sizeof(expected) - 1);
	job.is_free = false;
	if (in_child(replay_into, &job))
		fail_msg("%s: it ended early: %s", type->name, words);
	assert_int_equal(read_file(path, found, sizeof(found)), len);
	assert_memory_equal(expected, found, len);
	unlink(path);
}

static void test_sinks(void **state)
{
	static const char *const zones[] = { NULL, "", "UTC", ":Asia/Tokyo" };
	char path[32];

	(void)state;
	make_recording(path);
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (zones[i])
			setenv("TZ", zones[i], 1);
		else
			unsetenv("TZ");
		compare(&sink_text, path);
	}
	unsetenv("TZ");
	compare(&sink_json, path);
	compare(&sink_record, path);
	unlink(path);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_sinks),
};

RUN("sandbox_sinks", tests)
