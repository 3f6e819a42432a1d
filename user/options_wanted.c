// SPDX-License-Identifier: GPL-2.0-only
/*
 * options_wanted.c - the part of the command line that says what is traced, and
 * what goes together with it. Belongs to options.c.
 */
#include "options_wanted.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cgroup.h"
#include "names.h"
#include "netns.h"
#include "parse.h"

enum {
	KEY_NETNS = 512, /* options.c has those from 256 on */
	KEY_CGROUP,
	KEY_REMOTE,
	KEY_DETAIL,
};

static const struct argp_option known[] = {
	{ NULL, 0, NULL, 0, "What is traced:", 1 },
	{ "port", 'P', "LIST", 0,
	  "Only segments to these local ports, and their sockets: 443, or "
	  "80,443, or 8000-8999. May repeat",
	  1 },
	{ "tcp", 't', NULL, 0, "Only TCP; with -u both", 1 },
	{ "udp", 'u', NULL, 0, "Only UDP; with -t both", 1 },
	{ NULL, '4', NULL, 0, "Only IPv4", 1 },
	{ NULL, '6', NULL, 0, "Only IPv6", 1 },
	{ "pid", 'p', "PID", 0,
	  "Only sockets that this process listens on or accepts", 1 },
	{ "netns", KEY_NETNS, "NAME", 0,
	  "Only this network namespace: a name, the PID of a process in it, or "
	  "its inode number",
	  1 },
	{ "cgroup", KEY_CGROUP, "PATH", 0,
	  "Only sockets made in this cgroup v2 or below, as "
	  "/system.slice/nginx.service",
	  1 },
	{ "remote", KEY_REMOTE, "ADDR[/LEN][:PORT]", 0,
	  "Only from this remote end: 10.0.0.0/8, 10.1.2.3:443, "
	  "[2001:db8::1]:443, or :443 for any address",
	  1 },
	{ "detail", KEY_DETAIL, NULL, 0,
	  "Look into the lookup tables for why it was this socket: costs time "
	  "per segment",
	  1 },
	{ "count", 'n', "N", 0, "End after N segments or datagrams", 1 },
	{ "duration", 'd', "SECONDS", 0, "End after that time", 1 },
	{ 0 },
};

void options_wrong(struct argp_state *state, const char *format, ...)
{
	char *text, *safe;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	safe = len < 0 ? NULL : names_printable(text);
	argp_error(state, "%s", safe ?: format);
}

static uint64_t whole_number(struct argp_state *state, const char *option,
			     const char *text, uint64_t max)
{
	uint64_t number = 0;

	if (!parse_number(text, 1, max, &number))
		options_wrong(
			state,
			"bad %s '%s': it must be a whole number from 1 to %llu",
			option, text, (unsigned long long)max);
	return number;
}

static void add_ports(struct argp_state *state, const char *list)
{
	struct options *options = state->input;

	if (!parse_ports(list, &options->wanted))
		options_wrong(
			state,
			"bad port list '%s': ports are 1 to 65535, given as 443, "
			"or 80,443, or 8000-8999",
			list);
}

void options_refuse_second(struct argp_state *state, const char *option,
			   bool is_second)
{
	if (is_second)
		options_wrong(state, "--%s can be given only once", option);
}

static void set_netns(struct argp_state *state, const char *text)
{
	struct options *options = state->input;
	char why[300];

	options_refuse_second(state, "netns", options->wanted.netns);
	if (!netns_find(text, &options->wanted.netns, why, sizeof(why)))
		options_wrong(state, "bad network namespace '%s': %s", text,
			      why);
}

static void set_cgroup(struct argp_state *state, const char *path)
{
	struct options *options = state->input;
	char why[300];
	uint64_t id;

	options_refuse_second(state, "cgroup", options->wanted.cgroup);
	if (!cgroup_find(path, &id, why, sizeof(why)))
		options_wrong(state, "bad cgroup '%s': %s", path, why);
	options->wanted.cgroup = id;
}

static void set_remote(struct argp_state *state, const char *text)
{
	struct options *options = state->input;
	char why[PARSE_WHY_MAX];

	options_refuse_second(state, "remote",
			      options->wanted.remote_family ||
				      options->wanted.remote_port);
	if (!parse_remote(text, &options->wanted, why))
		options_wrong(state, "bad remote end '%s': %s", text, why);
}

static error_t on_key(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'P':
		add_ports(state, text);
		return 0;
	case 't':
		options->wanted.protos |= DEMUX_TCP;
		return 0;
	case 'u':
		options->wanted.protos |= DEMUX_UDP;
		return 0;
	case '4':
		options->wanted.families |= DEMUX_IPV4;
		return 0;
	case '6':
		options->wanted.families |= DEMUX_IPV6;
		return 0;
	case 'p':
		options_refuse_second(state, "pid", options->wanted.pid);
		options->wanted.pid = whole_number(state, "pid", text, 1 << 22);
		return 0;
	case KEY_NETNS:
		set_netns(state, text);
		return 0;
	case KEY_CGROUP:
		set_cgroup(state, text);
		return 0;
	case KEY_REMOTE:
		set_remote(state, text);
		return 0;
	case KEY_DETAIL:
		options->wanted.detail = 1;
		return 0;
	case 'n':
		options->count = whole_number(state, "count", text, UINT64_MAX);
		return 0;
	case 'd':
		if (!parse_seconds(text, &options->duration_ns))
			options_wrong(
				state,
				"bad duration '%s': it must be seconds, as 10 or "
				"0.5",
				text);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp options_wanted_argp = {
	.options = known,
	.parser = on_key,
};

/* --- what goes together --------------------------------------------------- */

static bool is_filter(const struct demux_config *wanted)
{
	return !wanted->any_port || wanted->pid || wanted->netns ||
	       wanted->cgroup || wanted->remote_family || wanted->remote_port ||
	       wanted->families != (DEMUX_IPV4 | DEMUX_IPV6);
}

/* A remote network has the segments of one family only. */
static void check_families(struct argp_state *state,
			   struct demux_config *wanted)
{
	unsigned int family = wanted->remote_family == 4 ? DEMUX_IPV4 :
							   DEMUX_IPV6;

	if (!wanted->families)
		wanted->families = DEMUX_IPV4 | DEMUX_IPV6;
	if (!wanted->remote_family)
		return;
	if (!(wanted->families & family))
		options_wrong(state,
			      "with -%d the remote end cannot be one of IPv%d",
			      wanted->families == DEMUX_IPV4 ? 4 : 6,
			      wanted->remote_family);
	wanted->families = family;
}

static void check_togetherness(struct argp_state *state,
			       const struct options *options)
{
	const struct demux_config *wanted = &options->wanted;

	if (options->task == TASK_DEMO && options->replay)
		options_wrong(state, "a demo is live: it replays nothing");
	if (options->task == TASK_DEMO &&
	    (options->has_filter || options->command))
		options_wrong(state,
			      "the demo has its own ports, processes and "
			      "addresses: it takes no filter and no command");
	if (options->replay && options->command)
		options_wrong(state,
			      "a command is traced live: '%s' cannot run with "
			      "-r, which replays what was",
			      options->command[0]);
	if (options->replay && wanted->cgroup)
		options_wrong(state,
			      "a recording does not say which cgroup a socket "
			      "was made in: --cgroup cannot be used with -r");
	if (options->command && wanted->pid)
		options_wrong(state,
			      "-p and a command exclude each other: it is the "
			      "command's sockets that are traced");
}

void options_wanted_check(struct argp_state *state, struct options *options)
{
	bool whole = options->replay || options->task == TASK_SOCKETS;

	check_families(state, &options->wanted);
	/* A recording is shown whole, and so is the list of sockets. */
	options->any_proto = !options->wanted.protos;
	if (options->any_proto)
		options->wanted.protos = whole ? DEMUX_TCP | DEMUX_UDP :
						 DEMUX_TCP;
	options->has_filter =
		is_filter(&options->wanted) ||
		(whole && options->wanted.protos != (DEMUX_TCP | DEMUX_UDP));
	check_togetherness(state, options);
}
