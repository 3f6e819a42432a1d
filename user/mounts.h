/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mounts.h - where a file system is mounted, or a mount of it. Knows no stage.
 */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

/* The first mount point of that type of file system, "cgroup2". */
bool mounts_find(const char *type, char *path, size_t size);

/* A mount of our own of that type, that no path leads to and that goes with the
 * descriptor; or -errno. */
int mounts_open_own(const char *type);

#endif
