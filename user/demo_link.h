/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_link.h - the wire of the demo: a veth pair between two network
 * namespaces. Every call acts on the namespace of the calling process.
 */
#ifndef DEMO_LINK_H
#define DEMO_LINK_H

#include <sys/types.h>

/* Makes a veth pair: @name here, @peer in the namespace of @peer_pid. 0 or
 * -errno. */
int demo_link_make(const char *name, const char *peer, pid_t peer_pid);

/* Gives the device an IPv4 address, of a network of 24 bits. 0 or -errno. */
int demo_link_address(const char *name, const char *addr);

/* 0 or -errno. */
int demo_link_up(const char *name);

#endif
