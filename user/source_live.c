// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_live.c - records from the running kernel's ring buffer. First stage
 * of the user half.
 */
#include "source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "backend.h"
#include "clock.h"
#include "log.h"

/* So much a round, so that signals and timers get their turn. */
#define RECORDS_PER_ROUND 100000
/* fd_install comes microseconds after accept(). What still waits then has no
 * descriptor, or the hook that would know it was skipped. */
#define ACCEPT_PATIENCE_NS 200000000ull

struct live {
	struct source source;
	struct backend_trace *trace;
	struct ring_buffer *ring;
	source_take take; /* of the round that is under way */
	void *context;
	bool enough; /* take() wants no more of this round */
	unsigned int left; /* of this round */
	uint64_t looked_ns; /* when accepting was looked through */
};

static int on_record(void *context, void *record, size_t len)
{
	struct live *live = context;

	live->enough = live->take(live->context, record, len);
	return live->enough || !--live->left ? -ECANCELED : 0;
}

/* Reads a round; live->left is 0 where there is more. */
static int consume(struct live *live, source_take take, void *context)
{
	int err;

	live->take = take;
	live->context = context;
	live->enough = false;
	live->left = RECORDS_PER_ROUND;
	err = ring_buffer__consume(live->ring);
	if (err < 0 && err != -ECANCELED) {
		log_error("cannot read the ring buffer: %s", strerror(-err));
		return err;
	}
	return 0;
}

/*
 * Both programs on fd_install were skipped, or it was never called: asks the
 * process itself, which has a link to the inode under the descriptor, if it has
 * one and has not closed it yet.
 */
static void find_fd(struct demux_accept *record)
{
	char path[32], wanted[48], link[48];
	struct dirent *entry;
	DIR *dir;

	if (!(record->have & DEMUX_HAVE_INODE))
		return;
	snprintf(path, sizeof(path), "/proc/%u/fd", record->pid);
	snprintf(wanted, sizeof(wanted), "socket:[%llu]",
		 (unsigned long long)record->inode);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link,
					 sizeof(link) - 1);

		if (len < 0)
			continue;
		link[len] = '\0';
		if (strcmp(link, wanted))
			continue;
		record->fd = atoi(entry->d_name);
		record->have |= DEMUX_HAVE_FD;
		break;
	}
	if (dir)
		closedir(dir);
}

/* Hands on the accepted sockets that have waited too long for a descriptor. */
static void take_waiting(struct live *live, uint64_t patience_ns,
			 source_take take, void *context)
{
	int fd = live->trace->accepting_fd;
	uint64_t now_ns = clock_mono_ns();
	struct demux_accept record;
	uint64_t key, next;
	int err;

	live->looked_ns = now_ns;
	err = bpf_map_get_next_key(fd, NULL, &next);
	while (!err) {
		key = next;
		err = bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, &record) ||
		    record.head.mono_ns + patience_ns > now_ns ||
		    bpf_map_delete_elem(fd, &key))
			continue;
		find_fd(&record);
		take(context, &record, sizeof(record));
	}
}

static int read_live(struct source *source, source_take take, void *context)
{
	struct live *live = (struct live *)source;
	int err = consume(live, take, context);

	if (!err && !live->enough &&
	    clock_mono_ns() > live->looked_ns + ACCEPT_PATIENCE_NS)
		take_waiting(live, ACCEPT_PATIENCE_NS, take, context);
	return err;
}

static int sum_counters(struct live *live, struct demux_counters *sum)
{
	size_t count = sizeof(*sum) / sizeof(__u64);
	__u64 *to = (__u64 *)sum, *cell = malloc(live->trace->cell_size);
	int cpus = libbpf_num_possible_cpus(), err = cell ? 0 : -ENOMEM;

	for (int cpu = 0; !err && cpu < cpus; cpu++) {
		err = bpf_map_lookup_elem(live->trace->cells_fd, &cpu, cell);
		for (size_t i = 0; !err && i < count; i++)
			to[i] += cell[i];
	}
	free(cell);
	if (err)
		log_error("cannot read the counters: %s", strerror(-err));
	return err;
}

static int finish_live(struct source *source, source_take take, void *context)
{
	struct live *live = (struct live *)source;
	struct demux_end end = {
		.head = { .type = DEMUX_END, .len = sizeof(end) },
	};
	int err;

	backend_detach(live->trace);
	end.unseen = backend_unseen(live->trace);
	do
		err = consume(live, take, context);
	while (!err && !live->enough && !live->left);
	if (!err && !live->enough)
		take_waiting(live, 0, take, context);
	if (!err)
		err = sum_counters(live, &end.counters);
	end.head.mono_ns = clock_mono_ns();
	if (!err)
		take(context, &end, sizeof(end));
	source->ended = true;
	return err;
}

static void close_live(struct source *source)
{
	struct live *live = (struct live *)source;

	ring_buffer__free(live->ring);
	backend_free(live->trace);
	free(live);
}

static void fill_head(struct recording_head *head,
		      const struct backend_trace *trace)
{
	struct utsname kernel;

	*head = (struct recording_head){
		.order = RECORDING_ORDER,
		.abi = DEMUX_ABI,
		.len = sizeof(*head),
		.clock_offset_ns = clock_offset_ns(),
	};
	memcpy(head->magic, RECORDING_MAGIC, sizeof(head->magic));
	if (!uname(&kernel))
		snprintf(head->kernel, sizeof(head->kernel), "%.63s",
			 kernel.release);
	snprintf(head->backend, sizeof(head->backend), "%s",
		 trace->backend->name);
	snprintf(head->missing, sizeof(head->missing), "%s", trace->missing);
}

struct source *source_live(struct backend_trace *trace)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live)
		live->ring =
			ring_buffer__new(trace->ring_fd, on_record, live, NULL);
	if (!live || !live->ring) {
		log_error("cannot map the ring buffer: %s", strerror(errno));
		free(live);
		backend_free(trace);
		return NULL;
	}
	live->trace = trace;
	live->source.is_live = true;
	live->source.fd = ring_buffer__epoll_fd(live->ring);
	live->source.read = read_live;
	live->source.finish = finish_live;
	live->source.close = close_live;
	fill_head(&live->source.head, trace);
	return &live->source;
}
