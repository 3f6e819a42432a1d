/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_udp.h - the counterpart of the demo: one UDP socket for three clients.
 */
#ifndef DEMO_UDP_H
#define DEMO_UDP_H

struct options;

/* Returns an exit code of options.h, after messages where it is not 0. */
int demo_udp(const struct options *options);

#endif
