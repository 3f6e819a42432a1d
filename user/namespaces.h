/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * namespaces.h - visits network namespaces. Stage of the sources.
 */
#ifndef NAMESPACES_H
#define NAMESPACES_H

#include <stddef.h>
#include <stdint.h>

/* Non-zero ends the visits. */
typedef int (*namespaces_visit)(uint32_t inode, void *context);

/*
 * Calls @visit once in each network namespace that a process is in or that is
 * mounted somewhere, as `ip netns` does it; or only in that of inode @only,
 * unless that is 0. This thread is in that namespace meanwhile. Those that it
 * may not enter are left out, and counted in @barred; log_info() says so.
 * Returns what @visit returned, or -errno; after a message where there is no way
 * back.
 */
int namespaces_each(uint32_t only, namespaces_visit visit, void *context,
		    size_t *barred);

#endif
