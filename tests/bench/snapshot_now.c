// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_now.c - the snapshot alone, without a backend: its events as JSON on
 * standard output, and on standard error how long each step took.
 *
 *	snapshot_now [-P PORT] [-p PID] [-f] [-n NETNS] [-q] [-u] [-v] [-w WITHOUT]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "pipeline.h"
#include "snapshot.h"

struct before {
	struct source source;
	struct snapshot *snapshot;
	uint64_t count;
};

static int read_all(struct source *source, source_take take, void *context)
{
	struct before *before = (struct before *)source;
	const struct demux_accept *next;

	while ((next = snapshot_next(before->snapshot, UINT64_MAX))) {
		before->count++;
		if (take(context, next, next->head.len))
			break;
	}
	source->ended = true;
	return 0;
}

static int finish(struct source *source, source_take take, void *context)
{
	struct demux_end end = {
		.head = { .type = DEMUX_END, .len = sizeof(end) },
	};

	(void)source;
	end.head.mono_ns = clock_mono_ns();
	take(context, &end, sizeof(end));
	return 0;
}

static void close_it(struct source *source)
{
	snapshot_free(((struct before *)source)->snapshot);
}

/* Returns what was named by --without. */
static const char *parse(int argc, char **argv, struct demux_config *config,
			 bool *quiet)
{
	const char *without = NULL;
	int option;

	while ((option = getopt(argc, argv, "P:p:fn:quvw:")) != -1) {
		unsigned long number = optarg ? strtoul(optarg, NULL, 0) : 0;

		if (option == 'P') {
			config->any_port = 0;
			config->ports[number >> 3 & 8191] |= 1 << (number & 7);
		} else if (option == 'p') {
			config->pid = number;
		} else if (option == 'f') {
			config->follow = 1;
		} else if (option == 'n') {
			config->netns = number;
		} else if (option == 'q') {
			*quiet = true;
		} else if (option == 'u') {
			config->protos = DEMUX_TCP | DEMUX_UDP;
		} else if (option == 'v') {
			log_verbose++;
		} else if (option == 'w') {
			without = optarg;
		} else {
			exit(2);
		}
	}
	return without;
}

static double seconds_since(uint64_t ns)
{
	return (clock_mono_ns() - ns) / 1e9;
}

int main(int argc, char **argv)
{
	static struct demux_config config = { .any_port = 1, .families = 3 };
	static struct pipeline pipeline;
	static struct before before;
	const char *without;
	bool quiet = false;
	uint64_t began_ns;
	double took;

	log_libbpf();
	without = parse(argc, argv, &config, &quiet);
	if (getrandom(&config.id_xor, sizeof(config.id_xor), 0) < 0)
		return 1;
	config.id_mul = config.id_xor | 1;
	began_ns = clock_mono_ns();
	before.snapshot = snapshot_new(without);
	if (!before.snapshot || snapshot_take(before.snapshot, &config))
		return 1;
	took = seconds_since(began_ns);
	before.source.read = read_all;
	before.source.finish = finish;
	before.source.close = close_it;
	before.source.is_live = true; /* it waits for nothing */
	before.source.fd = -1;
	pipeline.source = &before.source;
	if (sink_open(&pipeline.sinks[0], &sink_json, "-"))
		return 1;
	pipeline.sinks[0].quiet = quiet;
	pipeline.sink_count = 1;
	began_ns = clock_mono_ns();
	if (pipeline_run(&pipeline) && pipeline.error != -EPIPE)
		return 1;
	fprintf(stderr, "%llu records, taken in %.3f s, told in %.3f s\n",
		(unsigned long long)before.count, took,
		seconds_since(began_ns));
	pipeline_close(&pipeline);
	return 0;
}
