// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink_sockets.c - the sockets that the model knows at the end, as a table like
 * that of ss(8), or as JSON Lines of the event "socket". Last stage.
 */
#include "sink.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "model_table.h"
#include "proof.h"
#include "sockets_row.h"
#include "text_value.h"

/* --- which sockets ---------------------------------------------------------- */

struct list {
	struct model *model;
	struct model_sock **all;
	size_t count, room;
	bool failed;
};

/* Ours is what ss shows, and what was connected or listened and is closed by
 * now. Requests and TIME_WAIT remains tell nobody when they go, so after a look
 * at the end only those are there that were seen then. */
static bool is_row(const struct model *model, const struct model_sock *sock)
{
	const struct demux_sock *last = &sock->last;

	if (model_is_gone(sock))
		return !model_table_is_mini(last) &&
		       (last->ends.rport || last->state == TCP_LISTEN ||
			model_table_is_udp(last));
	return sock->at_end || !model->has_end;
}

static void add_row(struct model_sock *sock, void *context)
{
	struct list *list = context;

	if (list->failed || !is_row(list->model, sock))
		return;
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct model_sock **all =
			reallocarray(list->all, room, sizeof(*all));

		list->failed = !all;
		if (!all)
			return;
		list->all = all;
		list->room = room;
	}
	list->all[list->count++] = sock;
}

static int by_place(const void *a, const void *b)
{
	const struct model_sock *one = *(struct model_sock *const *)a;
	const struct model_sock *other = *(struct model_sock *const *)b;

	return sockets_order(one, other);
}

static void make_list(struct list *list, const struct event *end)
{
	*list = (struct list){ .model = end->model };
	model_each(end->model, add_row, list);
	if (list->failed)
		log_error("out of memory for the list of sockets: it is not "
			  "complete");
	if (list->count)
		qsort(list->all, list->count, sizeof(list->all[0]), by_place);
}

/* What stands in the way of the counts. */
static void warn(const struct event *end)
{
	const struct summary *summary = end->summary;
	uint64_t missed = summary->lost + summary->skipped;

	if (missed)
		log_warn("%llu segments were lost or could not be followed: "
			 "the counts lack them",
			 (unsigned long long)missed);
	if (end->model->forgotten)
		log_warn("%llu more sockets were closed meanwhile, too many to "
			 "keep",
			 (unsigned long long)end->model->forgotten);
}

/* --- JSON -------------------------------------------------------------------- */

static void json_begin(struct sink *sink, const struct recording_head *trace)
{
	sink_json.begin(sink, trace);
}

static void json_end(struct sink *sink, const struct event *end)
{
	struct list list;
	struct sockets_row row;

	if (end->head->type != DEMUX_END)
		return;
	make_list(&list, end);
	for (size_t i = 0; i < list.count; i++) {
		const struct model_holder *holder = list.all[i]->holders;

		do {
			sockets_row_fill(&row, end->trace, list.all[i], holder);
			sink_json.event(sink, &row.event);
			holder = holder ? holder->next : NULL;
		} while (holder);
	}
	free(list.all);
	warn(end);
}

const struct sink_type sink_sockets_json = {
	.name = "json",
	.begin = json_begin,
	.event = json_end,
};

/* --- text -------------------------------------------------------------------- */

static struct column {
	const char *title;
	const char *key;
	const char *port; /* of an address */
	const char *instead; /* for UDP */
	const char *before; /* what is known */
	bool counted; /* left out where nothing was counted */
	bool right;
	size_t width;
} columns[] = {
	{ "PROTO", "proto", NULL, NULL, "", false, false, 0 },
	{ "STATE", "sock_state", NULL, NULL, "", false, false, 0 },
	{ "LOCAL", "laddr", "lport", NULL, "", false, false, 0 },
	{ "REMOTE", "raddr", "rport", NULL, "", false, false, 0 },
	{ "SEGMENTS", "segments", NULL, "datagrams", "", true, true, 0 },
	{ "BYTES", "bytes", NULL, NULL, "", true, true, 0 },
	{ "NETNS", "netns", NULL, NULL, "", false, false, 0 },
	{ "INODE", "inode", NULL, NULL, "", false, false, 0 },
	{ "COOKIE", "cookie", NULL, NULL, "", false, false, 0 },
	{ "SOCK", "sock", NULL, NULL, "#", false, false, 0 },
	{ "OF", "parent", NULL, NULL, "#", false, false, 0 },
	{ "USER", NULL, NULL, NULL, "", false, false, 0 },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool has_column(const struct column *column,
		       const struct recording_head *trace)
{
	return !column->counted || *trace->backend;
}

static const char *show_cell(char cell[TEXT_CELL_MAX],
			     const struct column *column,
			     const struct sockets_row *row)
{
	const struct event *event = &row->event;

	if (!column->key) {
		sockets_row_users(cell, TEXT_CELL_MAX, row);
	} else if (column->port) {
		*text_ends(cell, fields_find(column->key),
			   fields_find(column->port), event) = '\0';
	} else {
		char *to = stpcpy(cell, column->before);
		char *end = text_value(to, fields_find(column->key), event);

		if (!end && column->instead)
			end = text_value(to, fields_find(column->instead),
					 event);
		*(end ? end : stpcpy(cell, "-")) = '\0';
	}
	return cell;
}

static void put_cell(struct out *out, const struct column *column,
		     const char *text)
{
	size_t pad = column->width - strlen(text);

	out_spaces(out, column->right ? pad : 0);
	out_text(out, text);
	out_spaces(out, 1 + (column->right ? 0 : pad));
}

static void measure(const struct list *list, const struct recording_head *trace)
{
	char cell[TEXT_CELL_MAX];
	struct sockets_row row;

	for (size_t i = 0; i < COLUMNS; i++)
		columns[i].width = strlen(columns[i].title);
	for (size_t i = 0; i < list->count; i++) {
		sockets_row_fill(&row, trace, list->all[i],
				 list->all[i]->holders);
		for (size_t j = 0; j < COLUMNS; j++) {
			size_t len = strlen(show_cell(cell, &columns[j], &row));

			if (len > columns[j].width)
				columns[j].width = len;
		}
	}
}

static void put_row(struct out *out, const struct sockets_row *row)
{
	char cell[TEXT_CELL_MAX];

	for (size_t i = 0; i < COLUMNS; i++)
		if (has_column(&columns[i], row->event.trace))
			put_cell(out, &columns[i],
				 show_cell(cell, &columns[i], row));
	sockets_row_processes(out, row);
	out_text(out, "\n");
	out_end(out);
}

static void text_end(struct sink *sink, const struct event *end)
{
	struct out *out = &sink->out;
	struct sockets_row row;
	struct list list;

	if (end->head->type != DEMUX_END)
		return;
	make_list(&list, end);
	measure(&list, end->trace);
	for (size_t i = 0; i < COLUMNS; i++)
		if (has_column(&columns[i], end->trace))
			put_cell(out, &columns[i], columns[i].title);
	out_text(out, "PROCESS\n");
	out_end(out);
	for (size_t i = 0; i < list.count; i++) {
		sockets_row_fill(&row, end->trace, list.all[i],
				 list.all[i]->holders);
		put_row(out, &row);
	}
	free(list.all);
	warn(end);
}

const struct sink_type sink_sockets_text = {
	.name = "text",
	.event = text_end,
};
