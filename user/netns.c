// SPDX-License-Identifier: GPL-2.0-only
/*
 * netns.c - the network namespace that a user means. Knows no stage.
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* PID_MAX_LIMIT of a 64-bit kernel. Inode numbers of namespaces lie around
 * 0xf0000000, so a number is the one or the other. */
#define PID_MAX (1ul << 22)

/* 0, -errno where the file cannot be opened, -EINVAL where it is another. */
static int read_file(const char *path, uint32_t *inode)
{
	struct statfs place;
	struct stat file;
	int fd, err = 0;

	/* It may be any file, also a pipe that nobody writes to. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &place) || fstat(fd, &file))
		err = -errno;
	else if (place.f_type != NSFS_MAGIC ||
		 ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		err = -EINVAL;
	else
		*inode = file.st_ino;
	close(fd);
	return err;
}

static bool find_file(const char *path, uint32_t *inode, char *why, size_t size)
{
	int err = read_file(path, inode);

	if (err == -EINVAL)
		snprintf(why, size, "that file is no network namespace");
	else if (err)
		snprintf(why, size, "%s", strerror(-err));
	return !err;
}

/* `ip netns` calls it /var/run/netns; mostly that is the same directory. */
static bool find_name(const char *name, uint32_t *inode, char *why, size_t size)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	err = read_file(path, inode);
	if (err == -ENOENT) {
		snprintf(path, sizeof(path), "/var/run/netns/%s", name);
		err = read_file(path, inode);
	}
	if (err == -ENOENT)
		snprintf(why, size,
			 "no network namespace has that name (those that have "
			 "one: ip netns); a process id or an inode number "
			 "(lsns -t net) will do too");
	else if (err == -EINVAL)
		snprintf(why, size,
			 "%s is only a file here: the namespace has gone, or "
			 "is mounted out of sight",
			 path);
	else if (err)
		snprintf(why, size, "%s: %s", path, strerror(-err));
	return !err;
}

static bool find_number(const char *text, uint32_t *inode, char *why,
			size_t size)
{
	unsigned long long number;
	char path[40];
	int err;

	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || !number || number > UINT32_MAX) {
		snprintf(why, size,
			 "it is neither a process id nor an inode number");
		return false;
	}
	/* One that no process is in can be traced too, and so can one of
	 * another machine be looked for in its recording. */
	if (number > PID_MAX) {
		*inode = number;
		return true;
	}
	snprintf(path, sizeof(path), "/proc/%llu/ns/net", number);
	err = read_file(path, inode);
	if (err == -ENOENT)
		snprintf(why, size,
			 "there is no process of that id (a namespace of that "
			 "name is /run/netns/%llu)",
			 number);
	else if (err == -EACCES)
		snprintf(why, size,
			 "that process is another user's, and looking at it "
			 "takes CAP_SYS_PTRACE");
	else if (err)
		snprintf(why, size, "%s: %s", path, strerror(-err));
	return !err;
}

bool netns_find(const char *text, uint32_t *inode, char *why, size_t size)
{
	if (!*text) {
		snprintf(why, size, "it is empty");
		return false;
	}
	if (strchr(text, '/'))
		return find_file(text, inode, why, size);
	if (!text[strspn(text, "0123456789")])
		return find_number(text, inode, why, size);
	return find_name(text, inode, why, size);
}
