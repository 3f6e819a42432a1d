/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup.h - the cgroup v2 directory that a user means. Knows no stage.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel's id of a cgroup v2 directory: @path as it is, or below the mount,
 * as systemd and /proc/PID/cgroup show it. False, with the reason in @why,
 * where there is none.
 */
bool cgroup_find(const char *path, uint64_t *id, char *why, size_t size);

#endif
