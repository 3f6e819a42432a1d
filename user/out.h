/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * out.h - an output that hands on whole records only: a line, or a record of a
 * recording, is never written in part but by a failing disk. Knows no stage.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct out {
	const char *name; /* for messages: the path, or "standard output" */
	int fd;
	bool tty;
	bool is_old; /* a file that still has what was in it */
	char *buffer;
	size_t used; /* bytes in buffer */
	size_t whole; /* of these, up to the end of the last whole record */
	size_t size;
	int error; /* the first -errno; after it nothing is written */
};

/* @path "-" is standard output. What is in a file stays there for now. 0 or
 * -errno; nothing is said. */
int out_open(struct out *out, const char *path);
/* Empties the file: what comes next can come. 0 or -errno. */
int out_begin(struct out *out);
/* Writes what is left and closes; returns the first error of all. */
int out_close(struct out *out);

/* Makes room for @len bytes after used; false after an error. */
bool out_room(struct out *out, size_t len);

/* Appends to the record that is being made. Errors wait for out_end(). */
static inline void out_bytes(struct out *out, const void *bytes, size_t len)
{
	if (out->used + len > out->size && !out_room(out, len))
		return;
	memcpy(out->buffer + out->used, bytes, len);
	out->used += len;
}

static inline void out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_number(struct out *out, uint64_t number);
void out_spaces(struct out *out, size_t count);

/* The record is whole. Writes when the buffer is well filled. 0 or -errno. */
int out_end(struct out *out);
/* Writes all whole records now. 0 or -errno. */
int out_flush(struct out *out);

#endif
