// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_segments.c - how many segments the kernel itself has counted.
 */
#include "kernel_segments.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_counters(void)
{
	return open("/proc/self/net/snmp", O_RDONLY | O_CLOEXEC);
}

/* The values of "Tcp:" stand in a line below their names. */
static bool find_in_segs(char *text, uint64_t *in_segs)
{
	char *names = strstr(text, "Tcp: "), *values, *end, *in_names,
	     *in_values;

	values = names ? strstr(names + 1, "\nTcp: ") : NULL;
	if (!values)
		return false;
	*values++ = '\0';
	names = strtok_r(names, " ", &in_names);
	values = strtok_r(values, " \n", &in_values);
	while (names && values && strcmp(names, "InSegs")) {
		names = strtok_r(NULL, " ", &in_names);
		values = strtok_r(NULL, " \n", &in_values);
	}
	if (!names || !values)
		return false;
	*in_segs = strtoull(values, &end, 10);
	return !*end;
}

static bool read_in_segs(int fd, uint64_t *in_segs)
{
	char text[32768];
	size_t len = 0;
	ssize_t got;

	while (len < sizeof(text) - 1 &&
	       (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	text[len] = '\0';
	return find_in_segs(text, in_segs);
}

void kernel_segments_begin(struct kernel_segments *segments)
{
	int fd = open_counters();
	bool is_known = fd >= 0 && read_in_segs(fd, &segments->before);

	if (fd >= 0)
		close(fd);
	segments->fd = is_known ? open_counters() : -1;
}

uint64_t kernel_segments_grown(struct kernel_segments *segments)
{
	uint64_t now;
	bool is_known;

	if (segments->fd < 0)
		return 0;
	is_known = read_in_segs(segments->fd, &now);
	close(segments->fd);
	segments->fd = -1;
	return is_known && now > segments->before ? now - segments->before : 0;
}
