// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_iter.c - loads and reads the snapshot's BPF iterators. Stage of the
 * sources.
 */
#include "snapshot_iter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "filter.h"
#include "log.h"
#include "snapshot.skel.h"

/* The kernel fills at most 32 KiB a read, and cuts no record if there is room
 * for so much. */
#define READ_RECORDS 256

static const char *const symbols[SNAPSHOT_PASSES] = {
	[SNAPSHOT_FILES] = "iter_task_file",
	[SNAPSHOT_TCP] = "iter_tcp",
	[SNAPSHOT_UDP] = "iter_udp",
};

static struct bpf_program *program(struct snapshot_bpf *skel,
				   enum snapshot_pass pass)
{
	switch (pass) {
	case SNAPSHOT_TCP:
		return skel->progs.on_tcp_entry;
	case SNAPSHOT_UDP:
		return skel->progs.on_udp_entry;
	default:
		return skel->progs.on_open_file;
	}
}

/* Returns the object with these passes, a bit each, or NULL with errno set. */
static struct snapshot_bpf *load(const struct demux_config *config,
				 unsigned int passes)
{
	struct snapshot_bpf *skel = snapshot_bpf__open();
	int err;

	if (!skel)
		return NULL;
	memcpy((void *)&skel->rodata->config, config, sizeof(*config));
	for (int pass = 0; pass < SNAPSHOT_PASSES; pass++)
		bpf_program__set_autoload(program(skel, pass),
					  passes & 1u << pass);
	err = snapshot_bpf__load(skel);
	if (!err)
		return skel;
	snapshot_bpf__destroy(skel);
	errno = -err;
	return NULL;
}

static bool is_asked_for(const struct demux_config *config,
			 enum snapshot_pass pass)
{
	return pass == SNAPSHOT_FILES ||
	       filter_proto(config,
			    pass == SNAPSHOT_TCP ? DEMUX_TCP : DEMUX_UDP);
}

void snapshot_iter_open(struct snapshot_iter *iter,
			const struct demux_config *config, const char *without)
{
	/* The kernel may have one kind and not the other. */
	static const unsigned int sets[] = { UINT_MAX, 1 << SNAPSHOT_FILES,
					     1 << SNAPSHOT_TCP |
						     1 << SNAPSHOT_UDP };
	unsigned int wanted = 0;

	*iter = (struct snapshot_iter){ 0 };
	for (int pass = 0; pass < SNAPSHOT_PASSES; pass++)
		if (is_asked_for(config, pass) &&
		    !backend_is_without(without, symbols[pass]))
			wanted |= 1u << pass;
	for (int i = 0; i < 3 && !iter->skel; i++)
		if (sets[i] & wanted)
			iter->skel = load(config, sets[i] & wanted);
	if (!iter->skel)
		log_info("no iterators for the sockets of before: %s",
			 wanted ? strerror(errno) : "left out");
	for (int pass = 0; iter->skel && pass < SNAPSHOT_PASSES; pass++) {
		struct bpf_program *one = program(iter->skel, pass);

		if (bpf_program__fd(one) >= 0)
			iter->links[pass] = bpf_program__attach_iter(one, NULL);
		if (!iter->links[pass] && is_asked_for(config, pass))
			log_info("no %s for the sockets of before",
				 symbols[pass]);
	}
}

int snapshot_iter_read(struct snapshot_iter *iter, enum snapshot_pass pass,
		       struct records *to)
{
	int fd = bpf_iter_create(bpf_link__fd(iter->links[pass]));
	ssize_t got;
	int err = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		err = records_reserve(to, READ_RECORDS);
		if (err)
			break;
		got = read(fd, to->all + to->count,
			   READ_RECORDS * sizeof(to->all[0]));
		/* A million files in a row, none of them wanted. */
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			err = -errno;
		else if (got % sizeof(to->all[0]))
			err = -EBADMSG;
		if (err || !got)
			break;
		to->count += got / sizeof(to->all[0]);
	}
	close(fd);
	return err;
}

void snapshot_iter_close(struct snapshot_iter *iter)
{
	for (int pass = 0; pass < SNAPSHOT_PASSES; pass++)
		bpf_link__destroy(iter->links[pass]);
	snapshot_bpf__destroy(iter->skel);
	*iter = (struct snapshot_iter){ 0 };
}
