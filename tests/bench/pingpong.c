// SPDX-License-Identifier: GPL-2.0-only
/*
 * pingpong.c - one byte there and one back over loopback, again and again:
 * prints the nanoseconds a segment took. In a guest that counts instructions
 * (tests/vm/run -i) a nanosecond is an instruction.
 *
 *   pingpong PORT WARM-UP ROUNDS
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Both ends in one process: no scheduler between the byte and its answer. */
static void rounds(int client, int server, long count)
{
	char byte = 'x';

	while (count--) {
		must(send(client, &byte, 1, 0) == 1, "send");
		must(recv(server, &byte, 1, 0) == 1, "recv");
		must(send(server, &byte, 1, 0) == 1, "send");
		must(recv(client, &byte, 1, 0) == 1, "recv");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener, client, server, one = 1;
	double began;
	long count;

	must(argc == 4, "usage: pingpong PORT WARM-UP ROUNDS");
	addr.sin_port = htons(atoi(argv[1]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	count = atol(argv[3]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	must(!setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)),
	     "SO_REUSEADDR");
	must(!bind(listener, (void *)&addr, sizeof(addr)), "bind");
	must(!listen(listener, 1), "listen");
	must(!connect(client, (void *)&addr, sizeof(addr)), "connect");
	server = accept(listener, NULL, NULL);
	must(server >= 0, "accept");
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

	rounds(client, server, atol(argv[2]));
	began = now_ns();
	rounds(client, server, count);
	printf("%.0f\n", (now_ns() - began) / (2.0 * count));
	return 0;
}
