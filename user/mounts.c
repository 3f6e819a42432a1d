// SPDX-License-Identifier: GPL-2.0-only
/*
 * mounts.c - where a file system is mounted.
 */
#include "mounts.h"

#include <errno.h>
#include <linux/mount.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

int mounts_open_own(const char *type)
{
	int fs = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), mount;

	if (fs < 0)
		return -errno;
	mount = syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (!mount)
		mount = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		mount = -errno;
	close(fs);
	return mount;
}
