/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * filter.h - is this segment, or this socket, wanted? Pure: values in, value
 * out; the unit tests compile it for the host. First stage after the hook.
 */
#ifndef DEMUX_FILTER_H
#define DEMUX_FILTER_H

#include "config.h"

static inline int filter_port(const volatile struct demux_config *wanted,
			      __u16 port)
{
	return wanted->any_port || wanted->ports[port >> 3] & 1 << (port & 7);
}

/* @family is 4 or 6. */
static inline int filter_family(const volatile struct demux_config *wanted,
				__u8 family)
{
	return wanted->families & (family == 4 ? DEMUX_IPV4 : DEMUX_IPV6);
}

static inline int filter_netns(const volatile struct demux_config *wanted,
			       __u32 netns)
{
	return !wanted->netns || wanted->netns == netns;
}

#endif
