// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the table of contents: options, source, sinks, and the pipeline
 * between them.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend.h"
#include "demo.h"
#include "log.h"
#include "options.h"
#include "outputs.h"
#include "pipeline.h"
#include "stop.h"

static struct source *open_source(const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &options->wanted,
		.ring_size = options->ring_size,
		.without = options->without,
	};

	if (options->replay)
		return source_replay(options->replay);
	if (wish.wanted->pid && kill(wish.wanted->pid, 0) && errno == ESRCH)
		log_warn("there is no process %u: nothing will be its own",
			 wish.wanted->pid);
	return source_live(options->backend, &wish);
}

static int trace(const struct options *options)
{
	static struct pipeline pipeline;
	int code, err;

	pipeline.count_max = options->count;
	pipeline.duration_ns = options->duration_ns;
	if (options->replay && options->has_filter)
		pipeline.wanted = &options->wanted;
	/* First the source: outputs are not emptied where there is none. */
	pipeline.source = open_source(options);
	if (!pipeline.source)
		return options->replay ? EXIT_FAILED : EXIT_CANNOT_TRACE;
	code = outputs_open(&pipeline, options);
	if (code)
		goto out;
	if (!options->replay)
		log_line("tracing with backend %s; Ctrl-C ends it",
			 pipeline.source->head.backend);
	err = pipeline_run(&pipeline);
	if (err && err != -EPIPE)
		code = EXIT_FAILED;
out:
	err = pipeline_close(&pipeline);
	if (err && err != -EPIPE)
		code = code ?: EXIT_FAILED;
	return code;
}

/* A file that is opened must not become what others take for standard output:
 * where one of the three is closed, something that cannot be written to. */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd < 3);
	close(fd);
}

int main(int argc, char **argv)
{
	struct options options;

	fill_standard_files();
	stop_hold_signals();
	log_libbpf();
	options_parse(&options, argc, argv);
	if (options.demo)
		return demo(&options);
	return trace(&options);
}
