// SPDX-License-Identifier: GPL-2.0-only
/*
 * outputs.c - opens the sinks that the command line asks for.
 */
#include "outputs.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return !(strcmp(a, "-") ? stat(a, &one) : fstat(STDIN_FILENO, &one)) &&
	       !stat(b, &other) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino && S_ISREG(one.st_mode);
}

/* Does the filter leave so few sockets that all of them are worth a line? */
static bool is_narrow(const struct demux_config *wanted)
{
	return !wanted->any_port || wanted->pid || wanted->remote_family ||
	       wanted->remote_port || wanted->cgroup;
}

/* The list of sockets is no stream of events. */
static const struct sink_type *sink_for(const struct options *options,
					const struct sink_type *type)
{
	if (options->task != TASK_SOCKETS)
		return type;
	return type == &sink_json ? &sink_sockets_json : &sink_sockets_text;
}

int outputs_open(struct pipeline *pipeline, const struct options *options)
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
		if (sink_open(sink, sink_for(options, output->type),
			      output->path))
			return EXIT_FAILED;
		sink->quiet = options->quiet;
		sink->detail = options->wanted.detail;
		sink->explain = options->explain;
		sink->absolute = options->absolute;
		sink->all_sockets = is_narrow(&options->wanted);
		pipeline->sink_count++;
	}
	return EXIT_DONE;
}
