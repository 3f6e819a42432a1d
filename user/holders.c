// SPDX-License-Identifier: GPL-2.0-only
/*
 * holders.c - which processes have which sockets open, by /proc/PID/fd. Stage
 * of the sources.
 */
#include "holders.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static int add(struct holders *holders, const struct holder *holder)
{
	if (holders->count == holders->room) {
		size_t room = holders->room ? 2 * holders->room : 256;
		struct holder *all =
			reallocarray(holders->all, room, sizeof(*all));

		if (!all)
			return -ENOMEM;
		holders->all = all;
		holders->room = room;
	}
	holders->all[holders->count++] = *holder;
	return 0;
}

static FILE *open_in(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !file)
		close(fd);
	return file;
}

/* Name and user of the process at @dir, as far as it tells. */
static void describe(int dir, struct holder *holder)
{
	FILE *comm = open_in(dir, "comm"), *status = open_in(dir, "status");
	char line[256];
	size_t len;

	if (comm) {
		len = fread(holder->comm, 1, sizeof(holder->comm), comm);
		if (len && holder->comm[len - 1] == '\n')
			holder->comm[len - 1] = '\0';
		fclose(comm);
	}
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Uid: %u", &holder->uid) == 1)
			break;
	if (status)
		fclose(status);
}

/* "socket:[4711]"; 0 for any other file, or one that was closed meanwhile. */
static uint64_t socket_inode(int dir, const char *name)
{
	unsigned long long inode = 0;
	char link[48];
	ssize_t len = readlinkat(dir, name, link, sizeof(link) - 1);

	if (len < 0)
		return 0;
	link[len] = '\0';
	return sscanf(link, "socket:[%llu]", &inode) == 1 ? inode : 0;
}

static int read_files(struct holders *holders, struct holder *holder, int dir)
{
	int at = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = at < 0 ? NULL : fdopendir(at);
	struct dirent *entry;
	bool described = false;
	int err = 0;

	if (!files) {
		holders->hidden += errno == EACCES || errno == EPERM;
		if (at >= 0)
			close(at);
		return 0; /* gone, or not for this process to see */
	}
	while (!err && (entry = readdir(files))) {
		holder->inode = socket_inode(dirfd(files), entry->d_name);
		if (!holder->inode)
			continue;
		if (!described)
			describe(dir, holder);
		described = true;
		holder->fd = atoi(entry->d_name);
		err = add(holders, holder);
	}
	closedir(files);
	return err;
}

static int by_inode(const void *a, const void *b)
{
	const struct holder *one = a, *other = b;

	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	if (one->pid != other->pid)
		return one->pid < other->pid ? -1 : 1;
	return (one->fd > other->fd) - (one->fd < other->fd);
}

int holders_read(struct holders *holders)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	*holders = (struct holders){ 0 };
	if (!proc)
		log_info("no owners for the sockets of before: /proc: %s",
			 strerror(errno));
	while (proc && !err && (entry = readdir(proc))) {
		struct holder holder = { 0 };
		int dir;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		dir = openat(dirfd(proc), entry->d_name,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		holder.pid = strtoul(entry->d_name, NULL, 10);
		err = read_files(holders, &holder, dir);
		close(dir);
	}
	if (proc)
		closedir(proc);
	if (holders->count)
		qsort(holders->all, holders->count, sizeof(holders->all[0]),
		      by_inode);
	return err;
}

const struct holder *holders_find(const struct holders *holders, uint64_t inode,
				  const struct holder **end)
{
	size_t low = 0, high = holders->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (holders->all[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	while (high < holders->count && holders->all[high].inode == inode)
		high++;
	*end = holders->all + high;
	return high > low ? holders->all + low : NULL;
}

void holders_free(struct holders *holders)
{
	free(holders->all);
	*holders = (struct holders){ 0 };
}
