/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sock_diag.h - the TCP or UDP sockets of a network namespace as ss(8) gets them: where
 * the kernel's own iterator over them cannot be used. Stage of the sources.
 */
#ifndef SOCK_DIAG_H
#define SOCK_DIAG_H

#include <linux/inet_diag.h>
#include <stdint.h>

#include "records.h"

/*
 * Appends every socket of @proto, IPPROTO_TCP or IPPROTO_UDP, with requests and
 * TIME_WAIT minisocks, of the network namespace that this thread is in, which is
 * that of inode @netns. Each has a cookie from then on. Their
 * addresses in the kernel are not told, so they have DEMUX_SOCK_BY_ENDS and an
 * id that is made up here. 0 or -errno.
 */
int sock_diag_read(struct records *to, uint32_t netns, uint8_t proto);

/* One message of the kernel, of a TCP socket, as a record; its time and owner are left open. */
struct demux_accept sock_diag_record(const struct inet_diag_msg *msg,
				     uint32_t netns);

#endif
