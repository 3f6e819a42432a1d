// SPDX-License-Identifier: GPL-2.0-only
/*
 * pingpong.c - one byte there and one back over loopback, again and again:
 * prints the nanoseconds a segment or datagram took. In a guest that counts
 * instructions (tests/vm/run -i) a nanosecond is an instruction. A tracer leaves a
 * part of its work for later: what it does after the last round counts too.
 *
 *   pingpong tcp|udp PORT WARM-UP ROUNDS [TRACER'S PID]
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A tracer lets what it has lie for less: tcpdump for a second. */
#define CATCH_UP_US 1200000

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static double read_ns(clockid_t clock)
{
	struct timespec now;

	must(!clock_gettime(clock, &now), "clock_gettime");
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Returns for how long the tracer was at work meanwhile. */
static double catch_up(clockid_t tracer)
{
	double began = read_ns(tracer);

	usleep(CATCH_UP_US);
	return read_ns(tracer) - began;
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

static void pair_tcp(int port, int *client, int *server)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	must(!setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)),
	     "SO_REUSEADDR");
	must(!bind(listener, (void *)&addr, sizeof(addr)), "bind");
	must(!listen(listener, 1), "listen");
	must(!connect(*client, (void *)&addr, sizeof(addr)), "connect");
	*server = accept(listener, NULL, NULL);
	must(*server >= 0, "accept");
	setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(*server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void pair_udp(int port, int *client, int *server)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*client = socket(AF_INET, SOCK_DGRAM, 0);
	*server = socket(AF_INET, SOCK_DGRAM, 0);
	must(!bind(*server, (void *)&addr, sizeof(addr)), "bind");
	must(!connect(*client, (void *)&addr, sizeof(addr)), "connect");
	must(!getsockname(*client, (void *)&addr, &len), "getsockname");
	must(!connect(*server, (void *)&addr, sizeof(addr)), "connect");
}

int main(int argc, char **argv)
{
	clockid_t tracer = CLOCK_PROCESS_CPUTIME_ID;
	int client, server;
	double began, took;
	long count;

	must(argc == 5 || argc == 6,
	     "usage: pingpong tcp|udp PORT WARM-UP ROUNDS [PID]");
	(strcmp(argv[1], "udp") ? pair_tcp : pair_udp)(atoi(argv[2]), &client,
						       &server);
	must(argc == 5 || !clock_getcpuclockid(atoi(argv[5]), &tracer), "PID");
	count = atol(argv[4]);
	rounds(client, server, atol(argv[3]));
	catch_up(tracer);
	began = read_ns(CLOCK_MONOTONIC);
	rounds(client, server, count);
	took = read_ns(CLOCK_MONOTONIC) - began;
	took += catch_up(tracer);
	printf("%.0f\n", took / (2.0 * count));
	return 0;
}
