// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_acts_udp.c - what the demo's two processes do with UDP. As
 * demo_acts.c, ordinary programs that know nothing of the trace.
 */
#include "demo_acts_udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "demo_acts.h"

/* A socket at @addr and @port, connected to @peer unless that is NULL. */
static int open_at(const char *addr, uint16_t port, const char *peer,
		   uint16_t peer_port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, err;
	struct sockaddr_in here = demo_acts_place(addr, port);
	struct timeval patience = { .tv_sec = 10 };

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	err = bind(fd, (struct sockaddr *)&here, sizeof(here)) ? -errno : 0;
	if (!err && peer) {
		struct sockaddr_in there = demo_acts_place(peer, peer_port);

		err = connect(fd, (struct sockaddr *)&there, sizeof(there)) ?
			      -errno :
			      0;
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}

int demo_udp_open(const char *peer, unsigned int peer_port)
{
	return open_at(DEMO_SERVER, DEMO_PORT, peer, peer_port);
}

int demo_udp_echo(int fd)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char bytes[64];
	ssize_t len = recvfrom(fd, bytes, sizeof(bytes), 0,
			       (struct sockaddr *)&from, &size);

	if (len < 0 ||
	    sendto(fd, bytes, len, 0, (struct sockaddr *)&from, size) != len)
		return -errno;
	return 0;
}

int demo_udp_greet(void)
{
	int err = 0;

	for (int i = 0; !err && i < DEMO_CLIENTS; i++) {
		const struct demo_client *client = &demo_clients[i];
		char said[16], heard[sizeof(said)];
		int fd = open_at(client->addr, client->port, DEMO_SERVER,
				 DEMO_PORT);
		ssize_t len = snprintf(said, sizeof(said), "hello from %c\n",
				       client->name);

		if (fd < 0)
			return fd;
		if (send(fd, said, len, 0) != len ||
		    recv(fd, heard, sizeof(heard), 0) < 0)
			err = -errno;
		else if (memcmp(heard, said, len))
			err = -EBADMSG;
		close(fd);
	}
	return err;
}

int demo_udp_knock(void)
{
	const struct demo_client *client = &demo_clients[0];
	int fd = open_at(client->addr, client->port, DEMO_SERVER,
			 DEMO_CLOSED_PORT);
	char byte = 'x';
	int err = 0;

	if (fd < 0)
		return fd;
	/* That nobody is there comes back by ICMP. */
	if (send(fd, &byte, 1, 0) != 1)
		err = -errno;
	else if (recv(fd, &byte, 1, 0) >= 0 || errno != ECONNREFUSED)
		err = errno ? -errno : -EISCONN;
	close(fd);
	return err;
}
