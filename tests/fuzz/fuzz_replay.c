// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_replay.c - any bytes as a recording, through source, decode, model, proof
 * and all sinks. A recording may come from anyone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "make.h"
#include "pipeline.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The tool's words would fill the disk; the sanitizers' do not come this way. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stderr = fopen("/dev/null", "we");
	return 0;
}

/* Half of all mutations would spoil the head, and nothing else be tried. */
static int write_recording(const uint8_t *bytes, size_t len)
{
	struct recording_head head = make_head();
	int fd = memfd_create("recording", 0);

	if (len && *bytes & 1)
		memcpy(head.missing, bytes, len < 159 ? len : 159);
	if (write(fd, &head, sizeof(head)) < 0 || write(fd, bytes, len) < 0 ||
	    lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct sink_type *const types[] = {
		&sink_text,
		&sink_json,
		&sink_record,
	};
	struct demux_config wanted = { .families = 3, .any_port = 1 };
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	int fd = write_recording(bytes, len);
	char path[40];

	if (len && *bytes & 2)
		wanted.pid = 812;
	if (len && *bytes & 4)
		pipeline->wanted = &wanted;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pipeline->source = source_replay(path);
	for (size_t i = 0; i < 3; i++)
		if (!sink_open(&pipeline->sinks[i], types[i], "/dev/null"))
			pipeline->sink_count++;
	pipeline->sinks[0].detail = pipeline->sinks[0].explain = len &&
								 *bytes & 8;
	if (pipeline->source)
		pipeline_run(pipeline);
	pipeline_close(pipeline);
	free(pipeline);
	close(fd);
	return 0;
}
