// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend.c - the list of backends, the choice, and what they share: walking
 * the table of hooks.
 */
#include "backend.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static const struct backend *const backends[] = {
	&backend_fentry,
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

const char *backend_names(void)
{
	return "fentry";
}

bool backend_exists(const char *name)
{
	for (size_t i = 0; i < BACKENDS; i++)
		if (!strcmp(backends[i]->name, name))
			return true;
	return false;
}

static void note_missing(struct backend_trace *trace, const struct hook *hook)
{
	size_t used = strlen(trace->missing);

	if (hook->need == HOOK_PROOF && !strstr(trace->missing, hook->symbol))
		snprintf(trace->missing + used, sizeof(trace->missing) - used,
			 "%s%s", used ? " " : "", hook->symbol);
}

static int attach(struct backend_trace *trace, char *why, size_t size)
{
	const struct hook *hook = trace->backend->hooks;

	for (int i = 0; hook->program; i++, hook++) {
		struct bpf_program *program =
			trace->backend->program(trace, hook->program);
		struct bpf_link *link = NULL;
		int err = ENOENT;

		if (bpf_program__fd(program) >= 0) {
			link = bpf_program__attach(program);
			err = errno;
		}
		trace->links[i] = link;
		if (link)
			continue;
		log_info("no hook on %s (%s): %s", hook->symbol, hook->gives,
			 strerror(err));
		if (trace->pointless[i])
			continue;
		note_missing(trace, hook);
		if (hook->need == HOOK_NEEDED) {
			snprintf(why, size, "cannot attach to %s: %s",
				 hook->symbol, strerror(err));
			return -err;
		}
	}
	return 0;
}

static struct backend_trace *start(const struct backend *backend,
				   const struct backend_wish *wish, char *why,
				   size_t size)
{
	struct backend_trace *trace = calloc(1, sizeof(*trace));

	if (!trace) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	trace->backend = backend;
	if (backend->load(trace, wish, why, size)) {
		free(trace);
		return NULL;
	}
	if (attach(trace, why, size)) {
		backend_free(trace);
		return NULL;
	}
	return trace;
}

struct backend_trace *backend_start(const char *name,
				    const struct backend_wish *wish)
{
	char why[400] = "";

	for (size_t i = 0; i < BACKENDS; i++) {
		struct backend_trace *trace;

		if (name && strcmp(backends[i]->name, name))
			continue;
		trace = start(backends[i], wish, why, sizeof(why));
		if (trace)
			return trace;
		log_error("%s: %s", backends[i]->name, why);
	}
	return NULL;
}

/* In reverse order: a segment that has begun is still followed to its end. */
void backend_detach(struct backend_trace *trace)
{
	for (int i = BACKEND_HOOKS_MAX - 1; i >= 0; i--) {
		bpf_link__destroy(trace->links[i]);
		trace->links[i] = NULL;
	}
}

void backend_free(struct backend_trace *trace)
{
	backend_detach(trace);
	trace->backend->free(trace);
	free(trace);
}

unsigned long long backend_unseen(struct backend_trace *trace)
{
	const struct hook *hook = trace->backend->hooks;
	unsigned long long unseen = 0;

	for (; hook->program; hook++) {
		struct bpf_program *program =
			trace->backend->program(trace, hook->program);
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (bpf_program__fd(program) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info,
					   &size))
			continue;
		if (info.recursion_misses)
			log_info("%s: %llu calls kept out by the recursion "
				 "guard",
				 hook->program,
				 (unsigned long long)info.recursion_misses);
		if (hook->is_entry)
			unseen += info.recursion_misses;
	}
	return unseen;
}
