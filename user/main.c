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
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "command.h"
#include "demo.h"
#include "demo_udp.h"
#include "doctor.h"
#include "log.h"
#include "options.h"
#include "outputs.h"
#include "pipeline.h"
#include "sandbox.h"
#include "stop.h"
#include "users.h"

#define FIRST_PIDNS 0xeffffffc /* PROC_PID_INIT_INO of the kernel */

/* The kernel half knows processes by their ids in the first pid namespace. */
static void check_pid(uint32_t pid)
{
	struct stat own;

	if (kill(pid, 0) && errno == ESRCH)
		log_warn("there is no process %u: nothing will be its own",
			 pid);
	if (!stat("/proc/self/ns/pid", &own) && own.st_ino != FIRST_PIDNS)
		log_warn("this is a pid namespace of its own, as containers "
			 "have, where process %u is another: nothing may be "
			 "its own",
			 pid);
}

static struct source *open_source(const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &options->wanted,
		.ring_size = options->ring_size,
		.without = options->without,
		.less_will_do = options->any_proto,
	};

	if (options->replay)
		return source_replay(options->replay);
	if (wish.wanted->pid)
		check_pid(wish.wanted->pid);
	if (options->task != TASK_SOCKETS)
		return source_live(options->backend, &wish);
	users_load();
	return options->duration_ns ?
		       source_until(options->backend, &wish) :
		       source_snapshot(&options->wanted, options->without);
}

/* From here on it reads and writes what is open: a recording may come from
 * anyone, and so may what the kernel is asked about. */
static int give_up_privileges(const struct options *options)
{
	const struct sandbox_needs needs = {
		.live = !options->replay,
		.child = options->command ? options->wanted.pid : 0,
	};

	if (options->no_sandbox)
		return EXIT_DONE;
	return sandbox_enter(&needs) ? EXIT_FAILED : EXIT_DONE;
}

static int trace(const struct options *options)
{
	static struct pipeline pipeline;
	int code, err;

	pipeline.keeps_all = options->task == TASK_SOCKETS;
	pipeline.count_max = options->count;
	pipeline.duration_ns = options->duration_ns;
	if (options->replay && options->has_filter)
		pipeline.wanted = &options->wanted;
	/* First the source: no output is made where there is none. */
	pipeline.source = open_source(options);
	if (!pipeline.source)
		return options->replay ? EXIT_FAILED : EXIT_CANNOT_TRACE;
	code = outputs_open(&pipeline, options);
	code = code ?: give_up_privileges(options);
	if (code)
		goto out;
	if (*pipeline.source->head.backend && !options->replay)
		log_line("tracing with backend %s; %s",
			 pipeline.source->head.backend,
			 options->command ? "it ends with the command" :
					    "Ctrl-C ends it");
	if (options->command) {
		pipeline.tick = command_tick;
		command_go();
	}
	err = pipeline_run(&pipeline);
	if (err && err != -EPIPE)
		code = EXIT_FAILED;
out:
	err = pipeline_close(&pipeline);
	if (err && err != -EPIPE)
		code = code ?: EXIT_FAILED;
	users_free();
	return code;
}

/* The command waits until all is attached, and its exit status is this
 * program's. */
static int trace_command(struct options *options)
{
	pid_t pid = command_hold(options->command);
	int code, status;

	if (pid < 0)
		return EXIT_FAILED;
	options->wanted.pid = pid;
	options->wanted.follow = 1;
	code = trace(options);
	status = command_status();
	return status ?: code;
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
	if (options.task == TASK_DEMO)
		return options.wanted.protos & DEMUX_UDP ? demo_udp(&options) :
							   demo(&options);
	if (options.task == TASK_DOCTOR)
		return doctor(&options);
	return options.command ? trace_command(&options) : trace(&options);
}
