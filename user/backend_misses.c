// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_misses.c - how often the kernel did not run a program: the recursion
 * guard of BPF programs counts that since 5.12, kprobes always did.
 */
#include "backend_misses.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "misses.h"

/* 0 and the number, or -errno; -ENOTSUP where the kernel does not count. */
static int recursion_misses(struct bpf_program *program,
			    unsigned long long *misses)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return -errno;
	if (size < offsetof(struct bpf_prog_info, recursion_misses) +
			   sizeof(info.recursion_misses))
		return -ENOTSUP;
	*misses = info.recursion_misses;
	return 0;
}

/* Does this kernel count them? It may say so only as long as there are
 * privileges. */
static bool counts_recursion(struct backend_trace *trace)
{
	unsigned long long unused;

	for (int i = 0; trace->hooks[i]; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(
			trace->object, trace->hooks[i]->program);

		if (bpf_program__fd(program) >= 0)
			return !recursion_misses(program, &unused);
	}
	return false;
}

/* A return that was not followed for lack of room. That a kretprobe was hit
 * inside another probe shows at the kprobe on the same function: it was too. */
static unsigned long long missed_by(const struct hook *hook,
				    const struct demux_misses *record)
{
	return hook->kind == HOOK_KRETPROBE ? record->no_instance :
					      record->missed;
}

struct probe_counts {
	unsigned long long missed;
	unsigned long long calls; /* missed ones too */
};

/* What each hook's perf event counted. False: unknown. */
static bool read_probes(const struct backend_trace *trace, int fd,
			struct probe_counts *counts)
{
	struct demux_misses records[32];
	ssize_t got;

	while ((got = read(fd, records, sizeof(records))) > 0)
		for (size_t r = 0; r < got / sizeof(records[0]); r++)
			for (int i = 0; i < BACKEND_HOOKS_MAX; i++)
				if (trace->probe_fds[i] == records[r].fd &&
				    records[r].fd)
					counts[i] = (struct probe_counts){
						missed_by(trace->hooks[i],
							  &records[r]),
						records[r].hits +
							records[r].missed,
					};
	return !got;
}

/* The perf events of kprobes count in a place that only BPF can read. */
void backend_misses_open(struct backend_trace *trace)
{
	struct bpf_program *program = bpf_object__find_program_by_name(
		trace->object, "on_probe_file");
	struct probe_counts before[BACKEND_HOOKS_MAX] = { 0 };
	struct bpf_link *link;
	int fd;

	trace->counts_recursion = counts_recursion(trace);
	if (!program)
		return;
	link = bpf_program__attach_iter(program, NULL);
	fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	if (fd >= 0 && read_probes(trace, fd, before))
		trace->misses_fd = bpf_iter_create(bpf_link__fd(link));
	if (trace->misses_fd < 0)
		log_warn("what kprobes miss will not be known: %s",
			 strerror(errno));
	for (int i = 0; i < BACKEND_HOOKS_MAX; i++)
		trace->calls_before[i] = before[i].calls;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

/* Of one hook, whose program the kernel kept from @missed calls of @calls. */
static void add_up(struct backend_misses *sum, const struct hook *hook,
		   unsigned long long missed, unsigned long long calls)
{
	switch (hook->miss) {
	case MISS_SEGMENT:
		sum->segments += missed;
		sum->segment_calls += calls;
		break;
	case MISS_DATAGRAM:
		sum->datagrams += missed;
		sum->datagram_calls += calls;
		break;
	case MISS_DOUBT:
		sum->doubts += missed;
		break;
	case MISS_SHOWS:
		break;
	}
}

struct backend_misses backend_misses(struct backend_trace *trace)
{
	struct probe_counts counts[BACKEND_HOOKS_MAX] = { 0 };
	struct backend_misses sum = { 0 };
	bool are_known = trace->misses_fd >= 0 &&
			 read_probes(trace, trace->misses_fd, counts);

	if (trace->misses_fd >= 0 && !are_known)
		sum.doubts++;
	for (int i = 0; trace->hooks[i]; i++) {
		const struct hook *hook = trace->hooks[i];
		struct bpf_program *program = bpf_object__find_program_by_name(
			trace->object, hook->program);
		unsigned long long missed = 0, calls = 0;

		/* From 5.12 to 5.18 a process without privileges is not told
		 * what the kernel counts: unknown is not none. */
		if (bpf_program__fd(program) >= 0 &&
		    recursion_misses(program, &missed) &&
		    trace->counts_recursion)
			sum.doubts++;
		missed += counts[i].missed;
		if (are_known)
			calls = counts[i].calls - trace->calls_before[i];
		if (missed)
			log_info("%s: %llu calls were kept from it",
				 hook->program, missed);
		add_up(&sum, hook, missed, calls);
	}
	return sum;
}
