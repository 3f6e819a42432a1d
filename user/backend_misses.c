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

/* The perf events of kprobes count in a place that only BPF can read. */
void backend_misses_open(struct backend_trace *trace)
{
	struct bpf_program *program = bpf_object__find_program_by_name(
		trace->object, "on_probe_file");
	struct bpf_link *link;

	trace->counts_recursion = counts_recursion(trace);
	if (!program)
		return;
	link = bpf_program__attach_iter(program, NULL);
	trace->misses_fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	if (trace->misses_fd < 0)
		log_warn("what kprobes miss will not be known: %s",
			 strerror(errno));
	bpf_link__destroy(link);
}

/* A return that was not followed for lack of room. That a kretprobe was hit
 * inside another probe shows at the kprobe on the same function: it was too. */
static unsigned long long missed_by(const struct hook *hook,
				    const struct demux_misses *record)
{
	return hook->kind == HOOK_KRETPROBE ? record->no_instance :
					      record->missed;
}

/* Adds what each hook's perf event counted. False: unknown. */
static bool add_probe_misses(struct backend_trace *trace,
			     unsigned long long *misses)
{
	struct demux_misses records[32];
	ssize_t got;

	while ((got = read(trace->misses_fd, records, sizeof(records))) > 0)
		for (size_t r = 0; r < got / sizeof(records[0]); r++)
			for (int i = 0; i < BACKEND_HOOKS_MAX; i++)
				if (trace->probe_fds[i] == records[r].fd &&
				    records[r].fd)
					misses[i] += missed_by(trace->hooks[i],
							       &records[r]);
	return !got;
}

struct backend_misses backend_misses(struct backend_trace *trace)
{
	unsigned long long misses[BACKEND_HOOKS_MAX] = { 0 };
	struct backend_misses sum = { 0 };

	if (trace->misses_fd >= 0 && !add_probe_misses(trace, misses))
		sum.doubts++;
	for (int i = 0; trace->hooks[i]; i++) {
		const struct hook *hook = trace->hooks[i];
		struct bpf_program *program = bpf_object__find_program_by_name(
			trace->object, hook->program);
		unsigned long long recursions = 0;

		/* From 5.12 to 5.18 a process without privileges is not told
		 * what the kernel counts: unknown is not none. */
		if (bpf_program__fd(program) >= 0 &&
		    recursion_misses(program, &recursions) &&
		    trace->counts_recursion)
			sum.doubts++;
		misses[i] += recursions;
		if (misses[i])
			log_info("%s: %llu calls were kept from it",
				 hook->program, misses[i]);
		if (hook->miss == MISS_SEGMENT)
			sum.segments += misses[i];
		else if (hook->miss == MISS_DATAGRAM)
			sum.datagrams += misses[i];
		else if (hook->miss == MISS_DOUBT)
			sum.doubts += misses[i];
	}
	return sum;
}
