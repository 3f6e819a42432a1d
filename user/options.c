// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - the command line: which options there are, which go together,
 * and what is said of one that is wrong.
 */
#include "options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "log.h"
#include "options_wanted.h"
#include "parse.h"
#include "version.h"

enum {
	KEY_BUFFER_SIZE = 256,
	KEY_WITHOUT,
	KEY_NO_SANDBOX,
	KEY_USAGE,
	KEY_EXPLAIN,
	KEY_ONE_BUCKET,
};

static const struct argp_option known[] = {
	{ NULL, 0, NULL, 0, "Where it goes:", 2 },
	{ "output", 'o', "KIND[:FILE]", 0,
	  "text, json or record; FILE - is standard output. May repeat", 2 },
	{ "json", 'j', NULL, 0, "The same as -o json", 2 },
	{ "write", 'w', "FILE", 0, "Record; the same as -o record:FILE", 2 },
	{ "read", 'r', "FILE", 0, "Replay a recording; needs no privilege", 2 },
	{ "explain", KEY_EXPLAIN, NULL, 0,
	  "Say in sentences why it was this socket; implies "
	  "--detail",
	  2 },
	{ "absolute", 'S', NULL, 0,
	  "Text: sequence numbers as they are, not relative", 2 },
	{ "quiet", 'q', NULL, 0, "No line per event, only the summary", 2 },
	{ NULL, 0, NULL, 0, "How:", 3 },
	{ "backend", 'b', "NAME", 0,
	  "Hook into the kernel this way: fentry, kprobe or stable; default the "
	  "first that works",
	  3 },
	{ "buffer-size", KEY_BUFFER_SIZE, "SIZE", 0,
	  "Of the ring buffer: bytes, or with K or M; default 16M", 3 },
	{ "without", KEY_WITHOUT, "SYMBOL[,...]", 0,
	  "Do not hook these, to see what the proof says", 3 },
	{ "one-bucket", KEY_ONE_BUCKET, NULL, 0,
	  "Demo: a server whose connections stand in one chain; implies "
	  "--detail",
	  3 },
	{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0,
	  "Keep all privileges and system calls", 3 },
	{ "verbose", 'v', NULL, 0,
	  "Say what could not be attached; twice: libbpf's messages too", 3 },
	{ "help", 'h', NULL, 0, "Show this", -1 },
	{ "usage", KEY_USAGE, NULL, OPTION_HIDDEN, NULL, -1 },
	{ "version", 'V', NULL, 0, "Show the version", -1 },
	{ 0 },
};

/* --- outputs ------------------------------------------------------------------- */

static void add_output(struct argp_state *state, const char *kind,
		       const char *path)
{
	struct options *options = state->input;
	const struct sink_type *type = sink_find(kind);

	if (!type)
		options_wrong(state, "no output is called '%s': there are %s",
			      kind, sink_names());
	if (!*path)
		options_wrong(state, "output '%s' has no file", kind);
	if (type == &sink_record && !strcmp(path, "-") && isatty(1))
		options_wrong(state,
			      "a recording is nothing for a terminal: give "
			      "it a file, or pipe it on");
	if (options->output_count == PIPELINE_SINKS_MAX)
		options_wrong(state, "more than %d outputs",
			      PIPELINE_SINKS_MAX);
	for (size_t i = 0; i < options->output_count; i++)
		if (!strcmp(options->outputs[i].path, path))
			options_wrong(state, "two outputs go to '%s'", path);
	options->outputs[options->output_count++] =
		(struct output){ type, path };
}

static void add_output_option(struct argp_state *state, char *text)
{
	char *colon = strchr(text, ':');

	if (colon)
		*colon = '\0';
	add_output(state, text, colon ? colon + 1 : "-");
}

/* --- all of it ------------------------------------------------------------------ */

/* It tries what there is: what is traced, and where to, is no matter. */
static void check_doctor(struct argp_state *state,
			 const struct options *options)
{
	const struct output *output = options->outputs;

	if (options->has_filter || options->count || options->duration_ns ||
	    options->replay || options->command || options->quiet ||
	    options->wanted.detail || options->absolute ||
	    options->ring_size != OPTIONS_RING_SIZE ||
	    options->output_count > 1 ||
	    (options->output_count &&
	     (output->type == &sink_record || strcmp(output->path, "-"))))
		options_wrong(state,
			      "the doctor traces nothing: it takes no options "
			      "but -j, -v, -b and --without");
}

/* A list is no stream of events. */
static void check_sockets(struct argp_state *state,
			  const struct options *options)
{
	bool records = false;

	for (size_t i = 0; i < options->output_count; i++)
		records |= options->outputs[i].type == &sink_record;
	if (options->command || options->count || options->quiet || records)
		options_wrong(state,
			      "sockets lists sockets: it takes no command, and "
			      "neither -n, -q nor -w");
}

static void check(struct argp_state *state, struct options *options)
{
	bool only_recorded;

	options_wanted_check(state, options);
	if (options->one_bucket && options->task != TASK_DEMO)
		options_wrong(state, "--one-bucket is of the demo alone");
	if (options->one_bucket && options->wanted.protos & DEMUX_UDP)
		options_wrong(state,
			      "--one-bucket is of the demo of TCP: UDP has no "
			      "connections to stand in a chain");
	if (options->task == TASK_DOCTOR)
		check_doctor(state, options);
	if (options->task == TASK_SOCKETS)
		check_sockets(state, options);
	/* Beside a recording alone, words say what came of it, as tcpdump -w
	 * tells how many packets it wrote. */
	only_recorded = options->output_count == 1 &&
			options->outputs[0].type == &sink_record &&
			strcmp(options->outputs[0].path, "-");
	options->quiet |= only_recorded;
	if (!options->output_count || only_recorded)
		add_output(state, "text", "-");
}

/* Where it goes. */
static bool on_output(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'o':
		add_output_option(state, text);
		return true;
	case 'j':
		add_output(state, "json", "-");
		return true;
	case 'w':
		add_output(state, "record", text);
		return true;
	case 'r':
		options_refuse_second(state, "read", options->replay);
		options->replay = text;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	case KEY_EXPLAIN:
		options->explain = true;
		options->wanted.detail = 1;
		return true;
	case 'S':
		options->absolute = true;
		return true;
	}
	return false;
}

/* After -- all is the command's; before it, arguments are this program's. */
static void on_argument(const char *text, struct argp_state *state)
{
	static const struct {
		const char *name;
		enum task task;
	} tasks[] = {
		{ "demo", TASK_DEMO },
		{ "doctor", TASK_DOCTOR },
		{ "sockets", TASK_SOCKETS },
	};
	struct options *options = state->input;

	if (state->quoted) {
		options->command = state->argv + state->next - 1;
		state->next = state->argc;
		return;
	}
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		if (options->task != TASK_TRACE || strcmp(text, tasks[i].name))
			continue;
		options->task = tasks[i].task;
		return;
	}
	options_wrong(state,
		      "'%s' is no command: there are demo, doctor and sockets "
		      "(what is to be run and traced comes after --)",
		      text);
}

static error_t on_key(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	if (on_output(key, text, state))
		return 0;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options;
		return 0;
	case 'b':
		if (!backend_exists(text))
			options_wrong(state,
				      "no backend is called '%s': there are %s",
				      text, backend_names());
		options->backend = text;
		return 0;
	case KEY_BUFFER_SIZE:
		if (!parse_ring_size(text, &options->ring_size))
			options_wrong(
				state,
				"bad buffer size '%s': it must be bytes up to "
				"1024M, as 4096, 64K or 16M",
				text);
		return 0;
	case KEY_WITHOUT:
		options_refuse_second(state, "without", options->without);
		options->without = text;
		return 0;
	case KEY_ONE_BUCKET:
		options->one_bucket = true;
		options->wanted.detail = 1;
		return 0;
	case KEY_NO_SANDBOX:
		options->no_sandbox = true;
		return 0;
	case 'v':
		log_verbose++;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case KEY_USAGE:
		argp_state_help(state, stdout,
				ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	case 'V':
		puts("sockdemux-trace " VERSION);
		exit(EXIT_DONE);
	case ARGP_KEY_ARG:
		on_argument(text, state);
		return 0;
	case ARGP_KEY_END:
		if (state->quoted && !options->command)
			options_wrong(state, "after -- there is no command");
		check(state, options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ .argp = &options_wanted_argp },
		{ 0 },
	};
	static const struct argp argp = {
		.options = known,
		.children = children,
		.parser = on_key,
		.args_doc = "\n-- COMMAND [ARG]...\ndemo\ndoctor\nsockets",
		.doc = "Watches the kernel decide which socket every arriving "
		       "TCP segment belongs to; with -u, UDP datagram.\v"
		       "Ends with Ctrl-C, and then says what was proved. With "
		       "a COMMAND it runs that, traces what it and its "
		       "children listen on and accept, and ends with it. With "
		       "'demo' it shows the three-client experiment, live, "
		       "with -u that of UDP; "
		       "with 'doctor' it tells what this machine allows, with "
		       "'sockets' which sockets there are and whose they are, "
		       "as ss does, and with -d or -r what came to each (both "
		       "with -j as JSON).\n\n"
		       "Exit status: 0 done, 1 failed while running, 2 wrong "
		       "usage, 3 nothing here can trace; otherwise the "
		       "COMMAND's.\n\n"
		       "Examples:\n"
		       "  sockdemux-trace -P 443      beside a web server\n"
		       "  sockdemux-trace -j -P 8000-8999 | jq .outcome\n"
		       "  sockdemux-trace -w a.rec; sockdemux-trace -r a.rec\n"
		       "  sockdemux-trace -o text:trace.txt -- ./server",
	};

	*options = (struct options){
		.wanted = { .any_port = 1 },
		.ring_size = OPTIONS_RING_SIZE,
	};
	argp_err_exit_status = EXIT_USAGE;
	argv[0] = "sockdemux-trace"; /* getopt would print its path */
	/* In order, or getopt would move -- before what comes before it. */
	argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_IN_ORDER, NULL,
		   options);
}
