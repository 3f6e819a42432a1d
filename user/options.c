// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - the command line. Text from a user becomes a number here, and
 * nowhere else.
 */
#include "options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "log.h"
#include "version.h"

#define RING_SIZE     (16u << 20)
#define RING_SIZE_MAX (1u << 30)

enum {
	KEY_BUFFER_SIZE = 256,
	KEY_WITHOUT,
	KEY_USAGE,
};

static const struct argp_option known[] = {
	{ NULL, 0, NULL, 0, "What is traced:", 1 },
	{ "port", 'P', "LIST", 0,
	  "Only segments to these local ports, and their sockets: 443, or "
	  "80,443, or 8000-8999. May repeat",
	  1 },
	{ NULL, '4', NULL, 0, "Only IPv4", 1 },
	{ NULL, '6', NULL, 0, "Only IPv6", 1 },
	{ "pid", 'p', "PID", 0,
	  "Only sockets that this process listens on or accepts", 1 },
	{ "count", 'n', "N", 0, "End after N segments", 1 },
	{ "duration", 'd', "SECONDS", 0, "End after that time", 1 },
	{ NULL, 0, NULL, 0, "Where it goes:", 2 },
	{ "output", 'o', "KIND[:FILE]", 0,
	  "text, json or record; FILE - is standard output. May repeat", 2 },
	{ "json", 'j', NULL, 0, "The same as -o json", 2 },
	{ "write", 'w', "FILE", 0, "Record; the same as -o record:FILE", 2 },
	{ "read", 'r', "FILE", 0, "Replay a recording; needs no privilege", 2 },
	{ "quiet", 'q', NULL, 0, "No line per event, only the summary", 2 },
	{ NULL, 0, NULL, 0, "How:", 3 },
	{ "backend", 'b', "NAME", 0, "Hook into the kernel this way: fentry",
	  3 },
	{ "buffer-size", KEY_BUFFER_SIZE, "SIZE", 0,
	  "Of the ring buffer: bytes, or with K or M; default 16M", 3 },
	{ "without", KEY_WITHOUT, "SYMBOL[,...]", 0,
	  "Do not hook these, to see what the proof says then", 3 },
	{ "verbose", 'v', NULL, 0,
	  "Say what could not be attached; twice: libbpf's messages too", 3 },
	{ "help", 'h', NULL, 0, "Show this", -1 },
	{ "usage", KEY_USAGE, NULL, OPTION_HIDDEN, NULL, -1 },
	{ "version", 'V', NULL, 0, "Show the version", -1 },
	{ 0 },
};

/* --- numbers ------------------------------------------------------------------- */

/* Digits alone, from @min to @max; *end is where they stop. */
static bool read_number(const char *text, const char **end, uint64_t min,
			uint64_t max, uint64_t *number)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &stop, 10);
	*end = stop;
	return !errno && *number >= min && *number <= max;
}

static uint64_t whole_number(struct argp_state *state, const char *option,
			     const char *text, uint64_t max)
{
	uint64_t number = 0;
	const char *end = text;

	if (!read_number(text, &end, 1, max, &number) || *end)
		argp_error(state,
			   "bad %s '%s': it must be a whole number from 1 to "
			   "%llu",
			   option, text, (unsigned long long)max);
	return number;
}

static void add_ports(struct argp_state *state, struct options *options,
		      const char *list)
{
	const char *at = list;
	uint64_t first, last;

	do {
		if (!read_number(at, &at, 1, 65535, &first))
			goto bad;
		last = first;
		if (*at == '-' &&
		    !read_number(at + 1, &at, first, 65535, &last))
			goto bad;
		for (uint64_t port = first; port <= last; port++)
			options->wanted.ports[port >> 3] |= 1 << (port & 7);
	} while (*at++ == ',');
	if (at[-1])
		goto bad;
	options->wanted.any_port = 0;
	return;
bad:
	argp_error(state,
		   "bad port list '%s': ports are 1 to 65535, given as 443, or "
		   "80,443, or 8000-8999",
		   list);
}

static uint64_t seconds(struct argp_state *state, const char *text)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	if (errno || end == text || *end || !(number >= 1e-9) || number > 1e9 ||
	    text[strspn(text, "0123456789.")])
		argp_error(
			state,
			"bad duration '%s': it must be seconds, as 10 or 0.5",
			text);
	return number * 1e9;
}

/* The kernel wants a power of two of whole pages. */
static size_t ring_size(struct argp_state *state, const char *text)
{
	uint64_t number = 0, size = getpagesize();
	const char *end = text;
	bool good = read_number(text, &end, 1, RING_SIZE_MAX, &number);

	if (good && (*end == 'k' || *end == 'K')) {
		number <<= 10;
		end++;
	} else if (good && (*end == 'm' || *end == 'M')) {
		number <<= 20;
		end++;
	}
	if (!good || *end || number > RING_SIZE_MAX)
		argp_error(
			state,
			"bad buffer size '%s': it must be bytes up to 1024M, "
			"as 4096, 64K or 16M",
			text);
	while (size < number)
		size *= 2;
	return size;
}

/* --- outputs ------------------------------------------------------------------- */

static void add_output(struct argp_state *state, const char *kind,
		       const char *path)
{
	struct options *options = state->input;
	const struct sink_type *type = sink_find(kind);

	if (!type)
		argp_error(state, "no output is called '%s': there are %s",
			   kind, sink_names());
	if (!*path)
		argp_error(state, "output '%s' has no file", kind);
	if (type == &sink_record && !strcmp(path, "-") && isatty(1))
		argp_error(state, "a recording is nothing for a terminal: give "
				  "it a file, or pipe it on");
	if (options->output_count == PIPELINE_SINKS_MAX)
		argp_error(state, "more than %d outputs", PIPELINE_SINKS_MAX);
	for (size_t i = 0; i < options->output_count; i++)
		if (!strcmp(options->outputs[i].path, path))
			argp_error(state, "two outputs go to '%s'", path);
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

static void check(struct argp_state *state, struct options *options)
{
	bool only_recorded;

	if (options->demo && options->replay)
		argp_error(state, "a demo is live: it replays nothing");
	if (options->demo &&
	    (!options->wanted.any_port || options->wanted.pid ||
	     options->wanted.families != (DEMUX_IPV4 | DEMUX_IPV6)))
		argp_error(state, "the demo has its own ports, processes and "
				  "addresses: it takes no filter");
	options->has_filter =
		!options->wanted.any_port || options->wanted.pid ||
		options->wanted.families != (DEMUX_IPV4 | DEMUX_IPV6);
	/* Beside a recording alone, words say what came of it, as tcpdump -w
	 * tells how many packets it wrote. */
	only_recorded = options->output_count == 1 &&
			options->outputs[0].type == &sink_record &&
			strcmp(options->outputs[0].path, "-");
	options->quiet |= only_recorded;
	if (!options->output_count || only_recorded)
		add_output(state, "text", "-");
}

/* What is traced. False for a key that says nothing of it. */
static bool parse_wanted(int key, const char *text, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'P':
		add_ports(state, options, text);
		return true;
	case '4':
		options->wanted.families |= DEMUX_IPV4;
		return true;
	case '6':
		options->wanted.families |= DEMUX_IPV6;
		return true;
	case 'p':
		options->wanted.pid = whole_number(state, "pid", text, 1 << 22);
		return true;
	case 'n':
		options->count = whole_number(state, "count", text, UINT64_MAX);
		return true;
	case 'd':
		options->duration_ns = seconds(state, text);
		return true;
	}
	return false;
}

/* Where it goes. */
static bool parse_output(int key, char *text, struct argp_state *state)
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
		options->replay = text;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	}
	return false;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	if (parse_wanted(key, text, state) || parse_output(key, text, state))
		return 0;
	switch (key) {
	case 'b':
		if (!backend_exists(text))
			argp_error(state,
				   "no backend is called '%s': there is %s",
				   text, backend_names());
		options->backend = text;
		return 0;
	case KEY_BUFFER_SIZE:
		options->ring_size = ring_size(state, text);
		return 0;
	case KEY_WITHOUT:
		options->without = text;
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
		if (state->arg_num || strcmp(text, "demo"))
			argp_error(state, "'%s' is no command: there is demo",
				   text);
		options->demo = true;
		return 0;
	case ARGP_KEY_END:
		if (!options->wanted.families)
			options->wanted.families = DEMUX_IPV4 | DEMUX_IPV6;
		check(state, options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = known,
		.parser = parse,
		.args_doc = "\ndemo",
		.doc = "Watches the kernel decide which socket every arriving "
		       "TCP segment belongs to.\v"
		       "Ends with Ctrl-C, and then says what was proved. With "
		       "'demo' it shows the three-client experiment, live.\n\n"
		       "Exit status: 0 done, 1 failed while running, 2 wrong "
		       "usage, 3 nothing here can trace.\n\n"
		       "Examples:\n"
		       "  sockdemux-trace -P 443      beside a web server\n"
		       "  sockdemux-trace -j -P 8000-8999 | jq .outcome\n"
		       "  sockdemux-trace -w a.rec; sockdemux-trace -r a.rec",
	};

	*options = (struct options){
		.wanted = { .any_port = 1 },
		.ring_size = RING_SIZE,
	};
	argp_err_exit_status = EXIT_USAGE;
	argv[0] = "sockdemux-trace"; /* getopt would print its path */
	argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, options);
}
