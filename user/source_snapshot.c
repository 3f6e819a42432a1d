// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_snapshot.c - records of the sockets that there are now: once, or at the
 * end of a live trace. First stage of the user half.
 */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "snapshot.h"
#include "snapshot_list.h"

struct now {
	struct source source;
	struct snapshot *snapshot;
};

static void warn_of_gaps(const struct snapshot_gaps *gaps)
{
	if (gaps->processes)
		log_warn("this user may not look into the files of %zu "
			 "processes: sockets of theirs are shown as nobody's; "
			 "root sees all",
			 gaps->processes);
	if (gaps->namespaces)
		log_warn("%zu network namespaces cannot be entered: of their "
			 "sockets only those are shown that a process has open",
			 gaps->namespaces);
	if (gaps->tables)
		log_warn("%zu of %zu tables of sockets could not be read; -v "
			 "says why",
			 gaps->tables, gaps->tables + gaps->tables_read);
}

struct snapshot *snapshot_list(const struct demux_config *config,
			       const char *without)
{
	struct snapshot *snapshot = snapshot_new(without);
	const struct snapshot_gaps *gaps;

	if (!snapshot) {
		log_error("out of memory");
		return NULL;
	}
	snapshot_give_cookies(snapshot);
	if (snapshot_take(snapshot, config))
		goto out;
	gaps = snapshot_gaps(snapshot);
	if (gaps->tables && !gaps->tables_read) {
		log_error("cannot read any table of sockets: there is neither "
			  "a BPF iterator nor sock_diag for it here; -v says "
			  "why");
		goto out;
	}
	warn_of_gaps(gaps);
	return snapshot;
out:
	snapshot_free(snapshot);
	return NULL;
}

static int read_now(struct source *source, source_take take, void *context)
{
	const struct now *now = (struct now *)source;
	const struct demux_accept *next;

	while ((next = snapshot_next(now->snapshot, UINT64_MAX)))
		if (take(context, next, next->head.len))
			break;
	source->ended = true;
	return 0;
}

static int finish_now(struct source *source, source_take take, void *context)
{
	const struct demux_end end = {
		.head = { .type = DEMUX_END,
			  .len = sizeof(end),
			  .mono_ns = clock_mono_ns() },
	};

	(void)source;
	take(context, &end, sizeof(end));
	return 0;
}

static void close_now(struct source *source)
{
	struct now *now = (struct now *)source;

	snapshot_free(now->snapshot);
	free(now);
}

struct source *source_snapshot(const struct demux_config *wanted,
			       const char *without)
{
	struct demux_config config = *wanted;
	struct now *now = calloc(1, sizeof(*now));
	__u64 keys[2];

	if (!now || getrandom(keys, sizeof(keys), 0) != sizeof(keys)) {
		log_error("cannot begin: %s", strerror(errno));
		free(now);
		return NULL;
	}
	config.id_xor = keys[0];
	config.id_mul = keys[1] | 1;
	now->snapshot = snapshot_list(&config, without);
	if (!now->snapshot) {
		free(now);
		return NULL;
	}
	recording_begin(&now->source.head);
	now->source.fd = -1;
	now->source.is_live = true; /* it waits for nothing */
	now->source.read = read_now;
	now->source.finish = finish_now;
	now->source.close = close_now;
	return &now->source;
}
