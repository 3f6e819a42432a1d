// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_until.c - a live trace, and at its end the sockets that there are by
 * then. First stage of the user half.
 *
 * By then this process has given its privileges up. So a child, made before
 * that, keeps them, reads nothing but its parent's word, and makes the list.
 */
#include "source.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backend.h"
#include "log.h"
#include "records.h"
#include "snapshot.h"
#include "snapshot_list.h"

#define READ_RECORDS 256

struct until {
	struct source source;
	struct source *live;
	int to_child, from_child;
	struct records there; /* at the end */
	source_take take;
	void *context;
	int error;
};

/* --- the child ------------------------------------------------------------- */

static bool read_whole(int fd, void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t got = read(fd, (char *)to + at, size - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
	}
	return true;
}

static bool write_whole(int fd, const void *from, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t put = write(fd, (const char *)from + at, size - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
	}
	return true;
}

/* A record without a type says that these were all. */
static int be_child(int from_parent, int to_parent, const char *without)
{
	static struct demux_config config;
	struct demux_accept record = { 0 };
	const struct demux_accept *next;
	struct snapshot *snapshot;

	if (!read_whole(from_parent, &config, sizeof(config)))
		return 0; /* nobody wants to know any more */
	snapshot = snapshot_list(&config, without);
	if (!snapshot)
		return 1;
	while ((next = snapshot_next(snapshot, UINT64_MAX))) {
		record = *next;
		record.have |= DEMUX_AT_END;
		if (!write_whole(to_parent, &record, sizeof(record)))
			return 1;
	}
	memset(&record, 0, sizeof(record));
	return !write_whole(to_parent, &record, sizeof(record));
}

/* 0 or -errno. */
static int start_child(struct until *until, const char *without)
{
	int there[2], back[2];
	pid_t parent = getpid(), child;

	if (pipe(there))
		return -errno;
	if (pipe(back))
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child) {
		/* Ctrl-C reaches both, and means the parent. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(there[1]);
		close(back[0]);
		_exit(getppid() == parent ?
			      be_child(there[0], back[1], without) :
			      1);
	}
	close(there[0]);
	close(back[1]);
	until->to_child = there[1];
	until->from_child = back[0];
	return 0;
}

/* --- the parent ------------------------------------------------------------ */

/* Reads what is there into until->there. 0 or -errno. */
static int ask_child(struct until *until)
{
	struct records *there = &until->there;
	size_t size = sizeof(there->all[0]), used = 0;
	ssize_t got = 1;

	if (!write_whole(until->to_child, until->live->config,
			 sizeof(*until->live->config)))
		return -errno;
	while (got) {
		if (records_reserve(there, READ_RECORDS))
			return -ENOMEM;
		got = read(until->from_child, (char *)there->all + used,
			   READ_RECORDS * size - used % size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		used += got;
		there->count = used / size;
	}
	if (!there->count || there->all[there->count - 1].head.type)
		return -EPROTO;
	there->count--;
	return 0;
}

static int take_last(void *context, const void *record, size_t len)
{
	struct until *until = context;
	const struct demux_head *head = record;
	int enough = 0;

	if (head->type == DEMUX_END) {
		until->error = ask_child(until);
		for (size_t i = 0; !enough && i < until->there.count; i++)
			enough = until->take(until->context,
					     &until->there.all[i],
					     sizeof(until->there.all[i]));
	}
	return until->take(until->context, record, len);
}

static int read_until(struct source *source, source_take take, void *context)
{
	struct until *until = (struct until *)source;
	int err = until->live->read(until->live, take, context);

	source->ended = until->live->ended;
	source->has_more = until->live->has_more;
	return err;
}

static int finish_until(struct source *source, source_take take, void *context)
{
	struct until *until = (struct until *)source;
	int err;

	until->take = take;
	until->context = context;
	err = until->live->finish(until->live, take_last, until);
	source->ended = true;
	if (!until->error)
		return err;
	log_error("cannot list the sockets that are there now: %s",
		  until->error == -EPROTO ? "the process that should did not" :
					    strerror(-until->error));
	return until->error;
}

static void close_until(struct source *source)
{
	struct until *until = (struct until *)source;

	if (until->live)
		until->live->close(until->live);
	if (until->to_child)
		close(until->to_child);
	if (until->from_child)
		close(until->from_child);
	records_free(&until->there);
	free(until);
}

struct source *source_until(const char *backend, struct backend_wish *wish)
{
	struct until *until = calloc(1, sizeof(*until));
	int err = until ? start_child(until, wish->without) : -ENOMEM;

	if (err) {
		log_error("cannot start: %s", strerror(-err));
		free(until);
		return NULL;
	}
	until->live = source_live(backend, wish);
	if (!until->live) {
		close_until(&until->source);
		return NULL;
	}
	until->source = *until->live;
	until->source.read = read_until;
	until->source.finish = finish_until;
	until->source.close = close_until;
	return &until->source;
}
