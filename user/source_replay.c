// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_replay.c - records from a recording. First stage of the user half.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define CHUNK (256 * 1024)

struct replay {
	struct source source;
	const char *path;
	int fd;
	uint64_t offset; /* in the file, of the first byte in buffer */
	size_t used;
	bool eof;
	/* Records are aligned to 8 in the file, and so they are here. */
	_Alignas(8) char buffer[CHUNK];
};

/* Reads what is there, at most until the buffer has @most. 0 or -errno. */
static int fill(struct replay *replay, size_t most)
{
	ssize_t got;

	if (replay->eof || replay->used >= most)
		return 0;
	do
		got = read(replay->fd, replay->buffer + replay->used,
			   most - replay->used);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		log_error("cannot read '%s': %s", replay->path,
			  strerror(errno));
		return -errno;
	}
	replay->eof = !got;
	replay->used += got;
	return 0;
}

static void drop(struct replay *replay, size_t len)
{
	memmove(replay->buffer, replay->buffer + len, replay->used - len);
	replay->used -= len;
	replay->offset += len;
}

static int read_replay(struct source *source, source_take take, void *context)
{
	struct replay *replay = (struct replay *)source;
	int err = fill(replay, CHUNK), enough = 0;
	size_t at = 0;

	if (err) {
		source->ended = true;
		return err;
	}
	while (!enough && replay->used - at >= sizeof(struct demux_head)) {
		const struct demux_head *head = (void *)(replay->buffer + at);

		if (head->len < sizeof(*head) || head->len % 8) {
			log_error("'%s' is damaged at byte %llu: no record "
				  "starts there; what follows is left out",
				  replay->path,
				  (unsigned long long)(replay->offset + at));
			source->ended = true;
			return -EBADMSG;
		}
		if (head->len > replay->used - at)
			break;
		at += head->len;
		enough = take(context, head, head->len);
		source->ended |= head->type == DEMUX_END;
	}
	drop(replay, at);
	if (replay->eof && !enough && !source->ended) {
		if (replay->used)
			log_warn("'%s' ends in the middle of a record",
				 replay->path);
		source->ended = true;
	}
	return 0;
}

static int finish_replay(struct source *source, source_take take, void *context)
{
	(void)take;
	(void)context;
	source->ended = true;
	return 0;
}

static void close_replay(struct source *source)
{
	struct replay *replay = (struct replay *)source;

	close(replay->fd);
	free(replay);
}

/* Reads until the buffer has @len bytes or there are no more. 0 or -errno. */
static int await(struct replay *replay, size_t len)
{
	int err = 0;

	while (!err && !replay->eof && replay->used < len)
		err = fill(replay, len);
	return err;
}

/* 0, or -EBADMSG after a message. */
static int check_head(const struct replay *replay)
{
	const struct recording_head *head = &replay->source.head;

	if (memcmp(head->magic, RECORDING_MAGIC, sizeof(head->magic))) {
		log_error("'%s' is no recording of sockdemux-trace: those are "
			  "made with --write",
			  replay->path);
		return -EBADMSG;
	}
	if (replay->used < sizeof(*head)) {
		log_error("'%s' is cut: it ends before its first record",
			  replay->path);
		return -EBADMSG;
	}
	if (head->order != RECORDING_ORDER) {
		log_error("'%s' was recorded on a machine of the other byte "
			  "order: replay it on one like it",
			  replay->path);
		return -EBADMSG;
	}
	if (head->abi != DEMUX_ABI) {
		log_error("'%s' has format %u, and this version reads format "
			  "%u: replay it with the version that recorded it",
			  replay->path, head->abi, DEMUX_ABI);
		return -EBADMSG;
	}
	return 0;
}

/* No more than the head: poll() knows nothing of records in the buffer. */
static int begin_replay(struct source *source)
{
	struct replay *replay = (struct replay *)source;
	struct recording_head *head = &source->head;
	int err = await(replay, sizeof(*head));

	memcpy(head, replay->buffer, sizeof(*head));
	err = err ?: check_head(replay);
	err = err ?: await(replay, head->len);
	if (err)
		return err;
	if (head->len < sizeof(*head) || head->len % 8 ||
	    head->len > replay->used) {
		log_error("'%s' is damaged: its head has a bad length",
			  replay->path);
		return -EBADMSG;
	}
	head->kernel[sizeof(head->kernel) - 1] = '\0';
	head->backend[sizeof(head->backend) - 1] = '\0';
	head->missing[sizeof(head->missing) - 1] = '\0';
	head->coverage[sizeof(head->coverage) - 1] = '\0';
	head->observed[sizeof(head->observed) - 1] = '\0';
	drop(replay, head->len);
	/* A copy of it is written without what is not known here. */
	head->len = sizeof(*head);
	return 0;
}

struct source *source_replay(const char *path)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay) {
		log_error("out of memory");
		return NULL;
	}
	replay->path = strcmp(path, "-") ? path : "standard input";
	replay->source.begin = begin_replay;
	replay->source.read = read_replay;
	replay->source.finish = finish_replay;
	replay->source.close = close_replay;
	replay->fd = strcmp(path, "-") ?
			     open(path, O_RDONLY | O_CLOEXEC) :
			     fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (replay->fd < 0) {
		log_error("cannot read '%s': %s", path, strerror(errno));
		free(replay);
		return NULL;
	}
	replay->source.fd = replay->fd;
	return &replay->source;
}
