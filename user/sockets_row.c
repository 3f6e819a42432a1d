// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockets_row.c - one socket of the list of all. Last stage.
 */
#include "sockets_row.h"

#include <string.h>

#include "tcp_states.h"
#include "text_value.h"

void sockets_row_fill(struct sockets_row *row,
		      const struct recording_head *trace,
		      const struct model_sock *sock,
		      const struct model_holder *holder)
{
	struct demux_accept *record = &row->record;

	*row = (struct sockets_row){ .sock = sock };
	record->head.type = DEMUX_SOCKET;
	record->head.len = sizeof(*record);
	record->head.mono_ns = sock->seen_ns;
	record->sock = sock->last;
	record->inode = sock->inode;
	record->cookie = sock->cookie;
	record->have = (sock->has_inode ? DEMUX_HAVE_INODE : 0) |
		       (sock->has_cookie ? DEMUX_HAVE_COOKIE : 0);
	if (holder) {
		record->have |= DEMUX_HAVE_OWNER |
				(holder->has_fd ? DEMUX_HAVE_FD : 0);
		record->pid = holder->pid;
		record->uid = holder->uid;
		record->fd = holder->fd;
		memcpy(record->comm, holder->comm, sizeof(record->comm));
	}
	row->event = (struct event){
		.trace = trace,
		.head = &record->head,
		.accept = record,
		.sock = sock,
		.listed = true,
	};
}

static void show_user(char to[TEXT_VALUE_MAX], const struct event *event)
{
	char *end = text_value(to, fields_find("user"), event);

	*(end ? end : text_value_or(to, fields_find("uid"), event, "-")) = '\0';
}

void sockets_row_users(char *to, size_t size, const struct sockets_row *row)
{
	const struct model_holder *holder = row->sock->holders;
	char name[TEXT_VALUE_MAX], last[TEXT_VALUE_MAX] = "";
	struct sockets_row one;
	size_t used = 0;

	strcpy(to, "-");
	for (; holder; holder = holder->next) {
		size_t len;

		sockets_row_fill(&one, row->event.trace, row->sock, holder);
		show_user(name, &one.event);
		len = strlen(name);
		if (!strcmp(name, last) || used + len + 2 > size)
			continue;
		if (used)
			to[used++] = ',';
		memcpy(to + used, name, len + 1);
		used += len;
		strcpy(last, name);
	}
}

static void put_field(struct out *out, const char *key,
		      const struct event *event, const char *unknown)
{
	char text[TEXT_VALUE_MAX];

	out_bytes(out, text,
		  text_value_or(text, fields_find(key), event, unknown) - text);
}

void sockets_row_processes(struct out *out, const struct sockets_row *row)
{
	const struct model_holder *holder = row->sock->holders;
	uint32_t pid = 0;

	if (!holder)
		out_text(out, "-");
	for (; holder; holder = holder->next) {
		struct sockets_row one;

		sockets_row_fill(&one, row->event.trace, row->sock, holder);
		if (holder->pid == pid) { /* after dup() */
			out_text(out, ",");
			put_field(out, "fd", &one.event, "?");
			continue;
		}
		out_text(out, pid ? ", " : "");
		pid = holder->pid;
		put_field(out, "comm", &one.event, "?");
		out_text(out, "[");
		put_field(out, "pid", &one.event, "?");
		out_text(out, "]");
		if (!holder->has_fd)
			continue;
		out_text(out, " fd ");
		put_field(out, "fd", &one.event, "?");
	}
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int sockets_order(const struct model_sock *a, const struct model_sock *b)
{
	const struct demux_sock *one = &a->last, *other = &b->last;
	const struct demux_ends *ends = &one->ends, *others = &other->ends;
	int order = compare(one->netns, other->netns);

	order = order ?:
			compare(one->flags & DEMUX_SOCK_UDP,
				other->flags & DEMUX_SOCK_UDP);
	order = order ?: compare(ends->lport, others->lport);
	order = order ?:
			compare(one->state != TCP_LISTEN,
				other->state != TCP_LISTEN);
	order = order ?: compare(ends->family, others->family);
	order = order ?:
			memcmp(ends->laddr, others->laddr, sizeof(ends->laddr));
	order = order ?:
			memcmp(ends->raddr, others->raddr, sizeof(ends->raddr));
	order = order ?: compare(ends->rport, others->rport);
	return order ?: compare(a->number, b->number);
}
