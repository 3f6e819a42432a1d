// SPDX-License-Identifier: GPL-2.0-only
/*
 * mounts.c - where a file system is mounted.
 */
#include "mounts.h"

#include <mntent.h>
#include <stdio.h>
#include <string.h>

bool mounts_find(const char *type, char *path, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool found = false;

	if (!mounts)
		return false;
	while (!found && (mount = getmntent(mounts))) {
		found = !strcmp(mount->mnt_type, type) &&
			strlen(mount->mnt_dir) < size;
		if (found)
			strcpy(path, mount->mnt_dir);
	}
	endmntent(mounts);
	return found;
}
