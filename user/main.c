// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the table of contents: options, source, sinks, and the pipeline
 * between them.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend.h"
#include "demo.h"
#include "log.h"
#include "options.h"
#include "pipeline.h"

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return !stat(a, &one) && !stat(b, &other) &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino &&
	       S_ISREG(one.st_mode);
}

static int open_sinks(struct pipeline *pipeline, const struct options *options)
{
	for (size_t i = 0; i < options->output_count; i++) {
		const struct output *output = &options->outputs[i];
		struct sink *sink = &pipeline->sinks[i];

		if (options->replay &&
		    is_same_file(options->replay, output->path)) {
			log_error("'%s' would be overwritten while it is read: "
				  "write to another file",
				  output->path);
			return EXIT_USAGE;
		}
		if (sink_open(sink, output->type, output->path))
			return EXIT_FAILED;
		sink->quiet = options->quiet;
		pipeline->sink_count++;
	}
	return EXIT_DONE;
}

static struct source *open_source(const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &options->wanted,
		.ring_size = options->ring_size,
		.without = options->without,
	};
	struct backend_trace *trace;

	if (options->replay)
		return source_replay(options->replay);
	if (wish.wanted->pid && kill(wish.wanted->pid, 0) && errno == ESRCH)
		log_warn("there is no process %u: nothing will be its own",
			 wish.wanted->pid);
	trace = backend_start(options->backend, &wish);
	return trace ? source_live(trace) : NULL;
}

static int trace(const struct options *options)
{
	static struct pipeline pipeline;
	int code, err;

	pipeline.count_max = options->count;
	pipeline.duration_ns = options->duration_ns;
	if (options->replay && options->has_filter)
		pipeline.wanted = &options->wanted;
	code = open_sinks(&pipeline, options);
	if (code)
		goto out;
	pipeline.source = open_source(options);
	if (!pipeline.source) {
		code = options->replay ? EXIT_FAILED : EXIT_CANNOT_TRACE;
		goto out;
	}
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

int main(int argc, char **argv)
{
	struct options options;

	log_libbpf();
	options_parse(&options, argc, argv);
	if (options.demo)
		return demo(&options);
	return trace(&options);
}
