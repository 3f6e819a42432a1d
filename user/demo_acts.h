/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_acts.h - what the demo's two processes do: an echo server, and three
 * clients. Each obeys the orders that come over its control socket.
 */
#ifndef DEMO_ACTS_H
#define DEMO_ACTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Addresses set aside for documentation (RFC 5737): nobody has them. */
#define DEMO_SERVER      "192.0.2.1"
#define DEMO_PORT        12000
#define DEMO_CLOSED_PORT 12001
#define DEMO_CLIENTS     3

struct demo_client {
	char name;
	const char *addr;
	uint16_t port;
};

/* No two differ in more than is needed: B from A in the port alone, C from A
 * in the address alone. */
extern const struct demo_client demo_clients[DEMO_CLIENTS];

enum demo_order_kind {
	DEMO_JOIN = 1, /* server: lay the wire to process @arg; clients: take
			  its other end */
	DEMO_LISTEN, /* server */
	DEMO_CONNECT, /* client number @arg; the server answers its accept() */
	DEMO_HELLO, /* all clients say it and wait for the echo */
	DEMO_KNOCK, /* a client, on the closed port */
	DEMO_HANG_UP, /* all clients; the server answers each close */
	DEMO_SHUT, /* server: close the listener */
	DEMO_UDP_OPEN, /* server: a socket at its port, 0: for all, 1: for A */
	DEMO_UDP_HELLO, /* all clients say it and wait for the echo */
	DEMO_UDP_KNOCK, /* a client, on the closed port */
	DEMO_UDP_SHUT, /* server: close both */
};

struct demo_order {
	uint32_t kind;
	uint32_t arg;
};

/* One for each order done, and for each accept() and close of the server. The
 * first of all tells whether there is a network namespace. */
struct demo_answer {
	int32_t err; /* 0 or -errno */
	char what[120]; /* that could not be done */
};

struct sockaddr_in demo_acts_place(const char *addr, uint16_t port);

/* Run in a process of their own, and never return. With @one_bucket the table of
 * the server's established connections has a single slot. */
void demo_acts_server(int control, bool one_bucket) __attribute__((noreturn));
void demo_acts_clients(int control, bool one_bucket) __attribute__((noreturn));

#endif
