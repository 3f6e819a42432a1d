// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_acts.c - what the demo's two processes do. They are ordinary programs
 * on ordinary sockets, and know nothing of the trace.
 */
#include "demo_acts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "demo_acts_udp.h"
#include "demo_link.h"

#define SERVER_LINK     "veth-server"
#define CLIENTS_LINK    "veth-clients"
#define KNOCK_FROM_PORT 50003

const struct demo_client demo_clients[DEMO_CLIENTS] = {
	{ 'A', "192.0.2.2", 50001 },
	{ 'B', "192.0.2.2", 50002 },
	{ 'C', "192.0.2.3", 50001 },
};

/* --- what both do -------------------------------------------------------- */

static void answer(int control, int err, const char *what)
{
	struct demo_answer word = { .err = err };

	snprintf(word.what, sizeof(word.what), "%s", what);
	if (send(control, &word, sizeof(word), MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* Ends the process where nobody gives orders any more. */
static struct demo_order next_order(int control)
{
	struct demo_order order;

	if (recv(control, &order, sizeof(order), 0) != sizeof(order))
		_exit(0);
	return order;
}

/* IPv6 would only look for neighbours. Where it cannot be turned off, it does
 * that; no segment of TCP comes of it. */
static void turn_ipv6_off(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6",
		      O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		errno = 0;
	close(fd);
}

static void enter_namespace(int control)
{
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	if (!err)
		turn_ipv6_off();
	answer(control, err, "cannot make a network namespace");
}

/* A namespace gives those that are made in it a table of their own, of this
 * many slots. */
static int ask_for_one_bucket(void)
{
	int fd = open("/proc/sys/net/ipv4/tcp_child_ehash_entries",
		      O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, "1", 1) != 1 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static void enter_one_bucket(int control)
{
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	err = err ?: ask_for_one_bucket();
	if (err)
		answer(control, err,
		       "cannot ask for a hash table of one slot "
		       "(net.ipv4.tcp_child_ehash_entries, since Linux 6.1)");
	else
		enter_namespace(control);
}

struct sockaddr_in demo_acts_place(const char *addr, uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};

	inet_pton(AF_INET, addr, &at.sin_addr);
	return at;
}

static int open_at(const char *addr, uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	struct sockaddr_in at = demo_acts_place(addr, port);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* --- the server ---------------------------------------------------------- */

struct server {
	int control;
	int listener;
	int clients[DEMO_CLIENTS]; /* -1: free */
	int udp[DEMO_UDP_SOCKETS]; /* likewise */
};

static int lay_wire(pid_t clients)
{
	int err = demo_link_make(SERVER_LINK, CLIENTS_LINK, clients);

	err = err ?: demo_link_address(SERVER_LINK, DEMO_SERVER);
	return err ?: demo_link_up(SERVER_LINK);
}

static int start_listening(struct server *server)
{
	int fd = open_at(DEMO_SERVER, DEMO_PORT);

	if (fd < 0)
		return fd;
	if (listen(fd, 16))
		return -errno;
	server->listener = fd;
	return 0;
}

static int open_udp(struct server *server, uint32_t which)
{
	int fd = demo_udp_open(which ? demo_clients[0].addr : NULL,
			       demo_clients[0].port);

	if (fd < 0)
		return fd;
	server->udp[which] = fd;
	return 0;
}

static void shut_udp(struct server *server)
{
	for (int i = 0; i < DEMO_UDP_SOCKETS; i++) {
		close(server->udp[i]);
		server->udp[i] = -1;
	}
}

static void server_obey(struct server *server)
{
	struct demo_order order = next_order(server->control);

	switch (order.kind) {
	case DEMO_JOIN:
		answer(server->control, lay_wire(order.arg),
		       "cannot make a veth pair between the namespaces");
		break;
	case DEMO_LISTEN:
		answer(server->control, start_listening(server),
		       "the server cannot listen");
		break;
	case DEMO_SHUT:
		close(server->listener);
		server->listener = -1;
		answer(server->control, 0, "");
		break;
	case DEMO_UDP_OPEN:
		answer(server->control, open_udp(server, order.arg),
		       "the server cannot open its UDP socket");
		break;
	case DEMO_UDP_SHUT:
		shut_udp(server);
		answer(server->control, 0, "");
		break;
	}
}

static void server_accept(struct server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
	int err = fd < 0 ? -errno : -ENOBUFS;

	for (int i = 0; fd >= 0 && i < DEMO_CLIENTS; i++) {
		if (server->clients[i] < 0) {
			server->clients[i] = fd;
			err = 0;
			break;
		}
	}
	answer(server->control, err, "the server cannot accept a client");
}

static void server_echo(struct server *server, int *client)
{
	char bytes[256];
	ssize_t len = recv(*client, bytes, sizeof(bytes), 0);

	if (len > 0 && send(*client, bytes, len, MSG_NOSIGNAL) == len)
		return;
	answer(server->control, len ? -errno : 0,
	       "the server cannot echo what a client said");
	close(*client);
	*client = -1;
}

void demo_acts_server(int control, bool one_bucket)
{
	struct server server = { .control = control, .listener = -1 };

	memset(server.clients, -1, sizeof(server.clients));
	memset(server.udp, -1, sizeof(server.udp));
	if (one_bucket)
		enter_one_bucket(control);
	else
		enter_namespace(control);
	while (true) {
		struct pollfd fds[2 + DEMO_CLIENTS + DEMO_UDP_SOCKETS] = {
			{ .fd = control, .events = POLLIN },
			{ .fd = server.listener, .events = POLLIN },
		};

		for (int i = 0; i < DEMO_CLIENTS; i++)
			fds[2 + i] = (struct pollfd){
				.fd = server.clients[i],
				.events = POLLIN,
			};
		for (int i = 0; i < DEMO_UDP_SOCKETS; i++)
			fds[2 + DEMO_CLIENTS + i] = (struct pollfd){
				.fd = server.udp[i],
				.events = POLLIN,
			};
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
			_exit(1);
		if (fds[1].revents)
			server_accept(&server);
		for (int i = 0; i < DEMO_CLIENTS; i++)
			if (fds[2 + i].revents)
				server_echo(&server, &server.clients[i]);
		for (int i = 0; i < DEMO_UDP_SOCKETS; i++)
			if (fds[2 + DEMO_CLIENTS + i].revents)
				demo_udp_echo(server.udp[i]);
		if (fds[0].revents)
			server_obey(&server);
	}
}

/* --- the clients --------------------------------------------------------- */

static int take_wire(void)
{
	int err = demo_link_up(CLIENTS_LINK);

	for (int i = 0; !err && i < DEMO_CLIENTS; i++) {
		err = demo_link_address(CLIENTS_LINK, demo_clients[i].addr);
		if (err == -EEXIST) /* that host has two clients */
			err = 0;
	}
	return err;
}

static int connect_from(const char *addr, uint16_t from, uint16_t to)
{
	int fd = open_at(addr, from), err;
	struct sockaddr_in server = demo_acts_place(DEMO_SERVER, to);

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&server, sizeof(server))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int greet(const int *fds)
{
	char said[DEMO_CLIENTS][16], heard[sizeof(said[0])];

	for (int i = 0; i < DEMO_CLIENTS; i++) {
		snprintf(said[i], sizeof(said[i]), "hello from %c\n",
			 demo_clients[i].name);
		if (send(fds[i], said[i], strlen(said[i]), MSG_NOSIGNAL) < 0)
			return -errno;
	}
	for (int i = 0; i < DEMO_CLIENTS; i++) {
		size_t len = strlen(said[i]);
		ssize_t got = recv(fds[i], heard, len, MSG_WAITALL);

		if (got < 0)
			return -errno;
		if ((size_t)got != len || memcmp(heard, said[i], len))
			return -EBADMSG;
	}
	return 0;
}

static int knock(void)
{
	int fd = connect_from(demo_clients[0].addr, KNOCK_FROM_PORT,
			      DEMO_CLOSED_PORT);

	if (fd >= 0)
		close(fd);
	if (fd == -ECONNREFUSED)
		return 0;
	return fd < 0 ? fd : -EISCONN;
}

static void hang_up(const int *fds)
{
	for (int i = 0; i < DEMO_CLIENTS; i++)
		close(fds[i]);
}

static void clients_obey(int control, int *fds)
{
	struct demo_order order = next_order(control);
	const struct demo_client *client;

	switch (order.kind) {
	case DEMO_JOIN:
		answer(control, take_wire(),
		       "cannot give the clients their addresses");
		break;
	case DEMO_CONNECT:
		client = &demo_clients[order.arg];
		fds[order.arg] =
			connect_from(client->addr, client->port, DEMO_PORT);
		answer(control, fds[order.arg] < 0 ? fds[order.arg] : 0,
		       "a client cannot connect to the server");
		break;
	case DEMO_HELLO:
		answer(control, greet(fds),
		       "a client did not hear the echo of its hello");
		break;
	case DEMO_KNOCK:
		answer(control, knock(),
		       "the knock on the closed port was not refused");
		break;
	case DEMO_UDP_HELLO:
		answer(control, demo_udp_greet(),
		       "a client did not hear the echo of its hello");
		break;
	case DEMO_UDP_KNOCK:
		answer(control, demo_udp_knock(),
		       "the knock on the closed port was not refused");
		break;
	case DEMO_HANG_UP:
		hang_up(fds);
		answer(control, 0, "");
		break;
	}
}

void demo_acts_clients(int control, bool one_bucket)
{
	int fds[DEMO_CLIENTS];

	(void)one_bucket;
	enter_namespace(control);
	while (true)
		clients_obey(control, fds);
}
