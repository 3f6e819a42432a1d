/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo.h - the experiment that everyone gets wrong, live: a server, three
 * clients, one port.
 */
#ifndef DEMO_H
#define DEMO_H

struct options;

/* Returns an exit code of options.h, after messages where it is not 0. */
int demo(const struct options *options);

#endif
