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
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"

static void close_quietly(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
}

static int mount_tracefs(void)
{
	int fs = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), mount = -1;

	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close_quietly(fs);
	return mount;
}

/* The number of that event, or -1 and errno; closes @tracefs. */
static int number_in(int tracefs, const char *event)
{
	char path[128], text[16];
	int fd, number = -1;
	ssize_t len;

	if (tracefs < 0)
		return -1;
	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	close_quietly(tracefs);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	if (len > 0) {
		text[len] = '\0';
		number = atoi(text);
	} else if (!len) {
		errno = EIO;
	}
	close_quietly(fd);
	return number;
}

static int find_number(const char *event)
{
	char path[256];
	int number = -1;

	if (mounts_find("tracefs", path, sizeof(path)))
		number = number_in(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC),
				   event);
	return number < 0 ? number_in(mount_tracefs(), event) : number;
}

struct bpf_link *backend_event_attach(struct bpf_program *program,
				      const char *event)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_TRACEPOINT };
	int number = find_number(event), fd;
	struct bpf_link *link;

	if (number < 0)
		return NULL;
	attr.config = number;
	/* Of one CPU in name only: the program runs on all. */
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1,
		     PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link)
		close_quietly(fd);
	return link;
}
