// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup.c - the cgroup v2 directory that a user means. Knows no stage.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "mounts.h"

/* 0, or -errno; -EXDEV where it is a directory of another kind. */
static int read_dir(const char *path, uint64_t *id)
{
	struct statfs place;
	struct stat dir;
	int fd, err = 0;

	/* The kernel's id is 64 bits wide, and is the inode number since 5.5,
	 * 40430452fd5d ("kernfs: use 64bit inos if ino_t is 64bit"). */
	_Static_assert(sizeof(dir.st_ino) == sizeof(*id), "ino_t is 64 bits");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &place) || fstat(fd, &dir))
		err = -errno;
	else if (place.f_type != CGROUP2_SUPER_MAGIC)
		err = -EXDEV;
	else
		*id = dir.st_ino;
	close(fd);
	return err;
}

static void explain(int err, const char *mount, char *why, size_t size)
{
	if (err == -EXDEV)
		snprintf(why, size,
			 "that directory is not in cgroup v2, which is mounted "
			 "at %s",
			 mount);
	else if (err == -ENOENT)
		snprintf(why, size,
			 "there is no such directory, here or below %s, where "
			 "cgroup v2 is mounted",
			 mount);
	else
		snprintf(why, size, "%s", strerror(-err));
}

bool cgroup_find(const char *path, uint64_t *id, char *why, size_t size)
{
	int err, direct_err = -ENOENT;
	char mount[400], *below;

	if (!mounts_find("cgroup2", mount, sizeof(mount))) {
		snprintf(why, size,
			 "cgroup v2 is not mounted here, and sockets belong to "
			 "no other kind of cgroup");
		return false;
	}
	/* From the place it is asked at, a relative path means nothing. */
	if (*path == '/')
		direct_err = read_dir(path, id);
	err = direct_err;
	if (err && *path) {
		err = asprintf(&below, "%s/%s", mount, path) < 0 ?
			      -ENOMEM :
			      read_dir(below, id);
		free(below);
	}
	/* Rather what is wrong with a directory that is there. */
	if (err == -ENOENT)
		err = direct_err;
	if (err)
		explain(err, mount, why, size);
	return !err;
}
