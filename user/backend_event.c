// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_event.c - a program on the perf event of a tracepoint. The event's number
 * stands in tracefs. Where that is not mounted, or is hidden below another mount, one
 * of our own is opened that no path leads to, and that goes with its descriptor.
 */
#include "backend_event.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"

/* The number of that event, or -errno; closes @tracefs, which may be -errno too. */
static int number_in(int tracefs, const char *event)
{
	char path[128], text[16];
	ssize_t len;
	int fd;

	if (tracefs < 0)
		return tracefs;
	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		len = len ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	close(tracefs);
	if (len < 0)
		return len;
	text[len] = '\0';
	return atoi(text);
}

static int find_number(const char *event)
{
	char path[256];
	int number = -ENOENT;

	if (mounts_find("tracefs", path, sizeof(path)))
		number = number_in(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC),
				   event);
	return number < 0 ? number_in(mounts_open_own("tracefs"), event) :
			    number;
}

struct bpf_link *backend_event_link(struct bpf_program *program, int fd)
{
	struct bpf_link *link;
	int err;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(program, fd);
	if (link)
		return link;
	err = errno;
	close(fd);
	errno = err;
	return NULL;
}

struct bpf_link *backend_event_attach(struct bpf_program *program,
				      const char *event)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_TRACEPOINT };
	int number = find_number(event), fd;

	if (number < 0)
		return backend_event_link(program, number);
	attr.config = number;
	/* Of one CPU in name only: the program runs on all. */
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1,
		     PERF_FLAG_FD_CLOEXEC);
	return backend_event_link(program, fd < 0 ? -errno : fd);
}
