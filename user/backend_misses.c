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
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "misses.h"

/* The perf events of kprobes count in a place that only BPF can read. */
void backend_misses_open(struct backend_trace *trace)
{
	struct bpf_program *program = bpf_object__find_program_by_name(
		trace->object, "on_probe_file");
	struct bpf_link *link;

	if (!program)
		return;
	link = bpf_program__attach_iter(program, NULL);
	trace->misses_fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	if (trace->misses_fd < 0)
		log_warn("what kprobes miss will not be known: %s",
			 strerror(errno));
	bpf_link__destroy(link);
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
					misses[i] += records[r].missed +
						     records[r].no_instance;
	return !got;
}

static unsigned long long recursion_misses(struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

struct backend_misses backend_misses(struct backend_trace *trace)
{
	unsigned long long misses[BACKEND_HOOKS_MAX] = { 0 };
	const struct hook *hook = trace->backend->hooks;
	struct backend_misses sum = { 0 };

	if (trace->misses_fd >= 0 && !add_probe_misses(trace, misses))
		sum.doubts++;
	for (int i = 0; hook->program; i++, hook++) {
		misses[i] += recursion_misses(bpf_object__find_program_by_name(
			trace->object, hook->program));
		if (misses[i])
			log_info("%s: %llu calls were kept from it",
				 hook->program, misses[i]);
		if (hook->miss == MISS_SEGMENT)
			sum.segments += misses[i];
		else if (hook->miss == MISS_DOUBT)
			sum.doubts += misses[i];
	}
	return sum;
}
