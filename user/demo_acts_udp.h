/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_acts_udp.h - what the demo's two processes do with UDP.
 */
#ifndef DEMO_ACTS_UDP_H
#define DEMO_ACTS_UDP_H

#define DEMO_UDP_SOCKETS 2 /* of the server: one for all, one for A */

/* The server: a socket at its port for all, or, with @peer, one that is connected
 * to that client. Returns a descriptor or -errno. */
int demo_udp_open(const char *peer, unsigned int peer_port);

/* Sends back what has come. 0 or -errno. */
int demo_udp_echo(int fd);

/* The clients: each says hello and hears it back. 0 or -errno. */
int demo_udp_greet(void);

/* A client sends to the closed port, and is told. 0 or -errno. */
int demo_udp_knock(void);

#endif
