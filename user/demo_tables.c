// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_tables.c - the server's TCP sockets as netstat and lsof show them, from
 * where these two have it: /proc/PID/net/tcp and /proc/PID/fd.
 */
#include "demo_tables.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "tcp_states.h"

#define NAME_MAX_LSOF 9 /* lsof cuts a command's name there */
#define END_MAX       (NAMES_ADDR_MAX + 8)

/* --- reading ------------------------------------------------------------- */

static bool parse_row(const char *line, struct demo_row *row)
{
	unsigned int laddr, lport, raddr, rport;

	*row = (struct demo_row){ .fd = -1, .place = -1, .ends.family = 4 };
	if (sscanf(line, "%*d: %x:%x %x:%x %x %x:%*x %*s %*s %*s %*s %lu",
		   &laddr, &lport, &raddr, &rport, &row->state, &row->unacked,
		   &row->inode) != 7)
		return false;
	/* Addresses are shown as the number that their four bytes are here. */
	memcpy(row->ends.laddr, &laddr, 4);
	memcpy(row->ends.raddr, &raddr, 4);
	row->ends.lport = lport;
	row->ends.rport = rport;
	return true;
}

static int read_sockets(struct demo_row *rows, pid_t pid)
{
	char path[64], line[256];
	int count = 0, established = 0;
	FILE *table;

	snprintf(path, sizeof(path), "/proc/%d/net/tcp", (int)pid);
	table = fopen(path, "re");
	if (!table)
		return -errno;
	while (count < DEMO_ROWS_MAX && fgets(line, sizeof(line), table)) {
		if (!parse_row(line, &rows[count]))
			continue;
		if (rows[count].state == TCP_ESTABLISHED)
			rows[count].place = established++;
		count++;
	}
	fclose(table);
	return count;
}

static void note_fd(struct demo_row *rows, int count, DIR *fds,
		    const char *name)
{
	char target[64] = "";
	unsigned long inode;

	if (readlinkat(dirfd(fds), name, target, sizeof(target) - 1) < 0 ||
	    sscanf(target, "socket:[%lu]", &inode) != 1)
		return;
	for (int i = 0; i < count; i++)
		if (rows[i].inode == inode)
			rows[i].fd = atoi(name);
}

static int read_fds(struct demo_row *rows, int count, pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	if (!fds)
		return -errno;
	while ((entry = readdir(fds)))
		note_fd(rows, count, fds, entry->d_name);
	closedir(fds);
	return 0;
}

static int by_fd(const void *one, const void *other)
{
	const struct demo_row *a = one, *b = other;

	return a->fd - b->fd;
}

int demo_tables_read(struct demo_row rows[DEMO_ROWS_MAX], pid_t pid)
{
	int count = read_sockets(rows, pid), owned = 0, err;

	if (count < 0)
		return count;
	err = read_fds(rows, count, pid);
	if (err)
		return err;
	for (int i = 0; i < count; i++)
		if (rows[i].fd >= 0)
			rows[owned++] = rows[i];
	qsort(rows, owned, sizeof(*rows), by_fd);
	return owned;
}

bool demo_tables_at_rest(pid_t pid)
{
	struct demo_row rows[DEMO_ROWS_MAX];
	int count = read_sockets(rows, pid);

	for (int i = 0; i < count; i++)
		if ((rows[i].state != TCP_ESTABLISHED &&
		     rows[i].state != TCP_LISTEN) ||
		    rows[i].unacked)
			return false;
	return true;
}

bool demo_tables_compare(struct demo_row *rows, int count,
			 const struct model *model, uint32_t netns)
{
	bool agree = true;

	for (int i = 0; i < count; i++) {
		struct demo_row *row = &rows[i];
		const struct model_sock *sock;

		if (row->state != TCP_ESTABLISHED)
			continue;
		sock = model_find_ends(model, &row->ends, netns);
		if (!sock)
			continue;
		row->number = sock->number;
		if ((sock->has_inode && sock->inode != row->inode) ||
		    (sock->has_fd && sock->fd != row->fd))
			agree = false;
	}
	return agree;
}

/* --- showing ------------------------------------------------------------- */

static void show_end(char to[END_MAX], const uint8_t *bytes, uint16_t port,
		     const char *any)
{
	static const uint8_t none[4];
	char addr[NAMES_ADDR_MAX];

	names_addr(addr, bytes, 4);
	if (port)
		snprintf(to, END_MAX, "%s:%u", addr, port);
	else
		snprintf(to, END_MAX, "%s%s",
			 memcmp(bytes, none, 4) ? addr : any, ":*");
}

static void read_name(char *to, size_t size, pid_t pid)
{
	char path[64], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(name, sizeof(name), file))
			name[strcspn(name, "\n")] = '\0';
		fclose(file);
	}
	names_escape(to, size, name, sizeof(name));
}

static void show_netstat(struct demo_words *words, const struct demo_row *rows,
			 int count, pid_t pid, const char *program)
{
	char local[END_MAX], foreign[END_MAX];

	demo_say(words,
		 "\n  netstat -tnap would list (from /proc/%d/net/tcp):\n"
		 "  %-5s %-21s %-21s %-11s %s",
		 (int)pid, "Proto", "Local Address", "Foreign Address", "State",
		 "PID/Program name");
	for (int i = 0; i < count; i++) {
		show_end(local, rows[i].ends.laddr, rows[i].ends.lport, "*");
		show_end(foreign, rows[i].ends.raddr, rows[i].ends.rport,
			 "0.0.0.0");
		demo_say(words, "  %-5s %-21s %-21s %-11s %d/%s", "tcp", local,
			 foreign, names_state(rows[i].state) ?: "?", (int)pid,
			 program);
	}
}

static void show_lsof(struct demo_words *words, const struct demo_row *rows,
		      int count, pid_t pid, const char *program)
{
	char local[END_MAX], foreign[END_MAX], same[32];

	demo_say(words,
		 "\n  lsof -nP -i would list (from /proc/%d/fd; #N: its "
		 "number in this trace):\n"
		 "  %-*s %7s %4s %-4s %8s %-4s NAME",
		 (int)pid, NAME_MAX_LSOF, "COMMAND", "PID", "FD", "TYPE",
		 "DEVICE", "NODE");
	for (int i = 0; i < count; i++) {
		const struct demo_row *row = &rows[i];
		bool has_peer = row->ends.rport;

		show_end(local, row->ends.laddr, row->ends.lport, "*");
		show_end(foreign, row->ends.raddr, row->ends.rport, "*");
		snprintf(same, sizeof(same), " = #%llu",
			 (unsigned long long)row->number);
		demo_say(words,
			 "  %-*.*s %7d %3du %-4s %8lu %-4s %s%s%s (%s)%s",
			 NAME_MAX_LSOF, NAME_MAX_LSOF, program, (int)pid,
			 row->fd, "IPv4", row->inode, "TCP", local,
			 has_peer ? "->" : "", has_peer ? foreign : "",
			 names_state(row->state) ?: "?",
			 row->number ? same : "");
	}
}

void demo_tables_show(struct demo_words *words, const struct demo_row *rows,
		      int count, pid_t pid)
{
	char program[256];

	read_name(program, sizeof(program), pid);
	show_netstat(words, rows, count, pid, program);
	show_lsof(words, rows, count, pid, program);
}
