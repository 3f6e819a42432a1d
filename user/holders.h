/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holders.h - which processes have which sockets open, by /proc/PID/fd: where
 * the kernel's own iterator over files cannot be used. Stage of the sources.
 */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stddef.h>
#include <stdint.h>

/* One descriptor of one process. */
struct holder {
	uint64_t inode; /* of the socket file */
	uint32_t pid; /* in the pid namespace that /proc shows */
	uint32_t uid;
	int32_t fd;
	char comm[16]; /* any byte, maybe no NUL */
};

struct holders {
	struct holder *all; /* by inode, then by process */
	size_t count;
	size_t room;
	size_t hidden; /* processes that could not be looked into */
};

/* Looks through all processes. 0 or -ENOMEM; holders_free() either way. */
int holders_read(struct holders *holders);
/* The first of @inode, NULL for none; the others follow, up to @end. */
const struct holder *holders_find(const struct holders *holders, uint64_t inode,
				  const struct holder **end);
void holders_free(struct holders *holders);

#endif
