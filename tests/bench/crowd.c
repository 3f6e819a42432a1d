// SPDX-License-Identifier: GPL-2.0-only
/*
 * crowd.c - many TCP connections over loopback, in a network namespace of their
 * own, for as long as standard input is open. Prints "ready" when all are there.
 *
 *	crowd CONNECTIONS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What one process has, both ends of it, so that no limit on files is in the
 * way. */
#define OF_ONE 5000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		die("lo");
	close(fd);
}

/* Each process has a local address, and so ports, of its own. */
static void connect_all(unsigned int number, unsigned int count)
{
	struct rlimit files = { 3 * OF_ONE, 3 * OF_ONE };
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(10000 + number) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(0x7f000101 + number);
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
	if (bind(listener, (void *)&addr, sizeof(addr)) ||
	    listen(listener, 128))
		die("listen");
	for (unsigned int i = 0; i < count; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		if (client < 0 ||
		    connect(client, (void *)&addr, sizeof(addr)) ||
		    accept(listener, NULL, NULL) < 0)
			die("connect");
	}
}

int main(int argc, char **argv)
{
	unsigned int left = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	int done[2];
	char byte;

	if (!left) {
		fprintf(stderr, "usage: crowd CONNECTIONS\n");
		return 2;
	}
	enter_namespace();
	if (pipe(done))
		die("pipe");
	for (unsigned int number = 0; left; number++) {
		unsigned int count = left < OF_ONE ? left : OF_ONE;

		left -= count;
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		connect_all(number, count);
		if (write(done[1], "x", 1) != 1)
			die("write");
		pause();
	}
	left = strtoul(argv[1], NULL, 10);
	for (unsigned int i = 0; i < (left + OF_ONE - 1) / OF_ONE; i++)
		if (read(done[0], &byte, 1) != 1)
			die("read");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0; /* and the others with it */
}
