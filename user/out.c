// SPDX-License-Identifier: GPL-2.0-only
/*
 * out.c - an output that hands on whole records only. Knows no stage.
 */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"

#define WELL_FILLED (64 * 1024)

int out_open(struct out *out, const char *path)
{
	struct stat file;
	int flags;

	*out = (struct out){ .name = path, .size = 2 * WELL_FILLED };
	if (!strcmp(path, "-")) {
		out->name = "standard output";
		flags = fcntl(STDOUT_FILENO, F_GETFL);
		if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
			return -EBADF; /* closed: main() filled the gap */
		out->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		out->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		out->is_old = out->fd >= 0 && !fstat(out->fd, &file) &&
			      S_ISREG(file.st_mode);
	}
	if (out->fd < 0)
		return -errno;
	out->tty = isatty(out->fd);
	out->buffer = malloc(out->size);
	if (!out->buffer) {
		close(out->fd);
		return -ENOMEM;
	}
	return 0;
}

int out_begin(struct out *out)
{
	if (out->is_old && ftruncate(out->fd, 0))
		out->error = -errno;
	out->is_old = false;
	return out->error;
}

bool out_room(struct out *out, size_t len)
{
	char *larger;

	if (out->error)
		return false;
	if (out->used + len <= out->size)
		return true;
	larger = realloc(out->buffer, 2 * (out->used + len));
	if (!larger) {
		out->error = -ENOMEM;
		return false;
	}
	out->buffer = larger;
	out->size = 2 * (out->used + len);
	return true;
}

void out_number(struct out *out, uint64_t number)
{
	char digits[NAMES_NUMBER_MAX];

	out_bytes(out, digits, names_number(digits, number) - digits);
}

void out_spaces(struct out *out, size_t count)
{
	if (!out_room(out, count))
		return;
	memset(out->buffer + out->used, ' ', count);
	out->used += count;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd ready = { .fd = fd, .events = POLLOUT };

			poll(&ready, 1, -1);
			continue;
		}
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		len -= done;
	}
	return 0;
}

int out_flush(struct out *out)
{
	if (out->error || !out->whole)
		return out->error;
	out->error = write_all(out->fd, out->buffer, out->whole);
	memmove(out->buffer, out->buffer + out->whole, out->used - out->whole);
	out->used -= out->whole;
	out->whole = 0;
	return out->error;
}

int out_end(struct out *out)
{
	out->whole = out->used;
	return out->used >= WELL_FILLED ? out_flush(out) : out->error;
}

int out_close(struct out *out)
{
	int err = out_flush(out);

	if (out->fd >= 0 && close(out->fd) && !err)
		err = -errno;
	out->fd = -1;
	free(out->buffer);
	out->buffer = NULL;
	return err;
}
