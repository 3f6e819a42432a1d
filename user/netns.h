/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netns.h - the network namespace that a user means. Knows no stage.
 */
#ifndef NETNS_H
#define NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A name that `ip netns` knows, the id of a process that is in it, the inode
 * number that lsns and readlink show, or a file. What is digits alone is never
 * a name. False, with the reason in @why, where there is no such namespace.
 */
bool netns_find(const char *text, uint32_t *inode, char *why, size_t size);

#endif
