/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sock_diag.h - the TCP sockets of a network namespace as ss(8) gets them: where
 * the kernel's own iterator over them cannot be used. Stage of the sources.
 */
#ifndef SOCK_DIAG_H
#define SOCK_DIAG_H

#include <linux/inet_diag.h>
#include <stdint.h>

#include "records.h"

/*
 * Appends every TCP socket, request and TIME_WAIT minisock of the network
 * namespace that this thread is in, which is that of inode @netns. Their
 * addresses in the kernel are not told, so they have DEMUX_SOCK_BY_ENDS and an
 * id that is made up here. 0 or -errno.
 */
int sock_diag_read(struct records *to, uint32_t netns);

/* One message of the kernel as a record; its time and owner are left open. */
struct demux_accept sock_diag_record(const struct inet_diag_msg *msg,
				     uint32_t netns);

#endif
