// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot.c - the sockets that are there before the first segment. Two
 * passes, over open files and over lookup tables, become one list. Stage of the
 * sources.
 *
 *	           by BPF iterator          else
 *	files      iter/task_file           /proc/PID/fd
 *	tables     iter/tcp, iter/udp       sock_diag
 */
#include "snapshot.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "holders.h"
#include "htab.h"
#include "log.h"
#include "namespaces.h"
#include "records.h"
#include "snapshot_iter.h"
#include "sock_diag.h"

struct snapshot {
	const char *without;
	bool gives_cookies;
	struct snapshot_gaps gaps;
	struct records records; /* by time */
	size_t next;
};

/* The passes, while they are under way. */
struct reading {
	const struct demux_config *config;
	struct snapshot_gaps *gaps;
	struct snapshot_iter iter;
	struct holders holders; /* read where there is no iterator over files */
	struct records found;
	size_t from_files; /* the first so many of found */
};

struct snapshot *snapshot_new(const char *without)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot)
		snapshot->without = without;
	return snapshot;
}

void snapshot_give_cookies(struct snapshot *snapshot)
{
	snapshot->gives_cookies = true;
}

const struct snapshot_gaps *snapshot_gaps(const struct snapshot *snapshot)
{
	return &snapshot->gaps;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	records_free(&snapshot->records);
	free(snapshot);
}

/* --- the passes ------------------------------------------------------------ */

static bool has_pass(const struct reading *reading, enum snapshot_pass pass)
{
	return reading->iter.links[pass];
}

static int read_files(struct reading *reading)
{
	int err;

	if (!has_pass(reading, SNAPSHOT_FILES))
		return holders_read(&reading->holders);
	err = snapshot_iter_read(&reading->iter, SNAPSHOT_FILES,
				 &reading->found);
	reading->from_files = reading->found.count;
	if (!err || err == -ENOMEM)
		return err;
	log_info("cannot read the open files of all processes: %s",
		 strerror(-err));
	return 0;
}

/* The protocols, each with the pass over its tables. */
static const struct proto {
	enum demux_protos bit;
	enum snapshot_pass pass;
	uint8_t number;
	const char *name;
} protos[] = {
	{ DEMUX_TCP, SNAPSHOT_TCP, IPPROTO_TCP, "TCP" },
	{ DEMUX_UDP, SNAPSHOT_UDP, IPPROTO_UDP, "UDP" },
};

#define PROTOS (sizeof(protos) / sizeof(protos[0]))

static int read_table(struct reading *reading, const struct proto *proto,
		      uint32_t netns)
{
	int err;

	if (has_pass(reading, proto->pass))
		err = snapshot_iter_read(&reading->iter, proto->pass,
					 &reading->found);
	else
		err = sock_diag_read(&reading->found, netns, proto->number);
	if (err == -ENOMEM)
		return err;
	reading->gaps->tables += err != 0;
	reading->gaps->tables_read += !err;
	if (err)
		log_info("cannot read the %s sockets of network namespace %u: "
			 "%s",
			 proto->name, netns, strerror(-err));
	return 0;
}

static int read_tables(uint32_t netns, void *context)
{
	struct reading *reading = context;
	int err = 0;

	for (size_t i = 0; !err && i < PROTOS; i++)
		if (filter_proto(reading->config, protos[i].bit))
			err = read_table(reading, &protos[i], netns);
	return err;
}

/* The kernel makes a cookie for every socket that sock_diag tells. */
static int make_cookies(uint32_t netns, void *context)
{
	const struct reading *reading = context;
	struct records told = { 0 };
	int err = 0;

	for (size_t i = 0; err != -ENOMEM && i < PROTOS; i++)
		if (filter_proto(reading->config, protos[i].bit))
			err = sock_diag_read(&told, netns, protos[i].number);
	records_free(&told);
	return err == -ENOMEM ? err : 0;
}

static int read_all(struct reading *reading)
{
	const struct demux_config *config = reading->config;
	int err = read_files(reading);

	/* What no process has open is not a process's own. */
	if (err || (config->pid && has_pass(reading, SNAPSHOT_FILES)))
		return err;
	if (config->cgroup && !(has_pass(reading, SNAPSHOT_TCP) ||
				has_pass(reading, SNAPSHOT_UDP))) {
		log_info("without iter_tcp it is not known which cgroup a "
			 "socket of before belongs to");
		return 0;
	}
	return namespaces_each(config->netns, read_tables, reading,
			       &reading->gaps->namespaces);
}

/* --- from what was found to what is told ----------------------------------- */

struct told {
	struct htab_node node;
	const struct demux_accept *record;
};

/* By what a second sight of the same socket is known: its id, or, where the
 * tables tell none, its inode. 0: by nothing. */
static uint64_t key_of(const struct reading *reading,
		       const struct demux_accept *record)
{
	bool of_udp = record->sock.flags & DEMUX_SOCK_UDP;

	if (!has_pass(reading, of_udp ? SNAPSHOT_UDP : SNAPSHOT_TCP))
		return record->have & DEMUX_HAVE_INODE ? record->inode : 0;
	return record->sock.id;
}

static bool is_told(const struct reading *reading, const struct htab *table,
		    const struct demux_accept *record)
{
	uint64_t key = key_of(reading, record);
	struct htab_node *node = htab_find(table, htab_mix(0, key));

	for (; node; node = htab_next(node)) {
		const struct demux_accept *other =
			htab_entry(node, struct told, node)->record;

		/* Meanwhile the memory may have become another socket. */
		if (key_of(reading, other) == key &&
		    other->sock.netns == record->sock.netns &&
		    !memcmp(&other->sock.ends, &record->sock.ends,
			    sizeof(record->sock.ends)))
			return true;
	}
	return false;
}

/* The iterators have filtered already, /proc and sock_diag have not. */
static bool is_wanted(const struct demux_config *config,
		      const struct demux_accept *record)
{
	return filter_sock(config, &record->sock) &&
	       (!config->pid || (record->have & DEMUX_HAVE_OWNER &&
				 record->pid == config->pid));
}

/* Gives the record each of its owners, where /proc has told them. */
static int add_owned(struct records *to, const struct reading *reading,
		     const struct demux_accept *found)
{
	const struct demux_config *config = reading->config;
	const struct holder *holder = NULL, *end = NULL;
	struct demux_accept record = *found;
	int err = 0;

	if (record.have & DEMUX_HAVE_OWNER)
		return records_add(to, &record);
	if (record.have & DEMUX_HAVE_INODE)
		holder = holders_find(&reading->holders, record.inode, &end);
	if (!holder)
		return is_wanted(config, &record) ? records_add(to, &record) :
						    0;
	for (; !err && holder < end; holder++) {
		record.have |= DEMUX_HAVE_OWNER | DEMUX_HAVE_FD;
		record.pid = record.tid = holder->pid;
		record.uid = holder->uid;
		record.fd = holder->fd;
		memcpy(record.comm, holder->comm, sizeof(record.comm));
		if (is_wanted(config, &record))
			err = records_add(to, &record);
	}
	return err;
}

/* All that the files told, each descriptor a record, and what the tables have
 * beside: each socket once. */
static int sift(const struct reading *reading, struct records *to)
{
	const struct records *found = &reading->found;
	struct told *told = calloc(found->count + 1, sizeof(*told));
	struct htab table = { 0 };
	int err = told ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < found->count; i++) {
		const struct demux_accept *record = &found->all[i];
		uint64_t key = key_of(reading, record);

		if (key && is_told(reading, &table, record)) {
			if (i >= reading->from_files)
				continue;
		} else if (key) {
			told[i].record = record;
			err = htab_add(&table, &told[i].node, htab_mix(0, key));
		}
		if (!err)
			err = add_owned(to, reading, record);
	}
	htab_free(&table);
	free(told);
	return err;
}

static int by_time(const void *a, const void *b)
{
	const struct demux_accept *one = a, *other = b;

	return (one->head.mono_ns > other->head.mono_ns) -
	       (one->head.mono_ns < other->head.mono_ns);
}

int snapshot_take(struct snapshot *snapshot, const struct demux_config *config)
{
	struct reading reading = { .config = config, .gaps = &snapshot->gaps };
	struct records *records = &snapshot->records;
	int err = 0;

	snapshot_iter_open(&reading.iter, config, snapshot->without);
	if (snapshot->gives_cookies)
		err = namespaces_each(config->netns, make_cookies, &reading,
				      &snapshot->gaps.namespaces);
	if (!err)
		err = read_all(&reading);
	snapshot->gaps.processes = reading.holders.hidden;
	if (!err)
		err = sift(&reading, records);
	snapshot_iter_close(&reading.iter);
	holders_free(&reading.holders);
	records_free(&reading.found);
	if (records->count)
		qsort(records->all, records->count, sizeof(records->all[0]),
		      by_time);
	if (err)
		log_error("cannot list the sockets that are there already: %s",
			  strerror(-err));
	return err;
}

const struct demux_accept *snapshot_next(struct snapshot *snapshot,
					 uint64_t before_ns)
{
	struct records *records = &snapshot->records;

	if (snapshot->next < records->count) {
		const struct demux_accept *next = &records->all[snapshot->next];

		if (next->head.mono_ns > before_ns)
			return NULL;
		snapshot->next++;
		return next;
	}
	/* They are needed once, and may be many. */
	records_free(records);
	snapshot->next = 0;
	return NULL;
}
