// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend.c - the list of backends, the choice, and what they share: walking
 * the table of hooks.
 */
#include "backend.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend_load.h"
#include "log.h"

const struct backend *const backends[] = {
	&backend_fentry,
	&backend_kprobe,
	&backend_stable,
	NULL,
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]) - 1)
#define WHY_MAX  400

const char *backend_names(void)
{
	return "fentry, kprobe, stable";
}

bool backend_exists(const char *name)
{
	for (int i = 0; backends[i]; i++)
		if (!strcmp(backends[i]->name, name))
			return true;
	return false;
}

/* --- attach ---------------------------------------------------------------- */

static void note(char *list, size_t size, const char *symbol)
{
	size_t used = strlen(list);

	if (!strstr(list, symbol))
		snprintf(list + used, size - used, "%s%s", used ? " " : "",
			 symbol);
}

static struct bpf_link *attach_hook(struct backend_trace *trace, int i)
{
	struct bpf_program *program = bpf_object__find_program_by_name(
		trace->object, trace->hooks[i]->program);

	if (bpf_program__fd(program) < 0) {
		errno = ENOENT;
		return NULL;
	}
	if (trace->backend->attach)
		return trace->backend->attach(trace, i, program);
	return bpf_program__attach(program);
}

/* Those that begin segments, or the others. 0, or -errno and @why. */
static int attach(struct backend_trace *trace, bool begins, char *why,
		  size_t size)
{
	int first = 0;

	for (int i = 0; trace->hooks[i]; i++) {
		const struct hook *hook = trace->hooks[i];

		if (hook->begins != begins)
			continue;
		trace->links[i] = attach_hook(trace, i);
		if (trace->links[i])
			continue;
		trace->errors[i] = trace->errors[i] ?: -errno;
		log_info("%s: no %s on %s (%s): %s", trace->backend->name,
			 hook->kind == HOOK_EVENT ? "perf event" : "hook",
			 hook->symbol, hook->gives,
			 strerror(-trace->errors[i]));
		/* The tracepoint's own program will do without. */
		if (trace->pointless[i] || hook->kind == HOOK_EVENT)
			continue;
		note(trace->coverage, sizeof(trace->coverage), hook->symbol);
		if (hook->need == HOOK_PROOF)
			note(trace->missing, sizeof(trace->missing),
			     hook->symbol);
		if (hook->need == HOOK_NEEDED && !first) {
			first = trace->errors[i];
			snprintf(why, size, "cannot attach to %s: %s",
				 hook->symbol, strerror(-first));
		}
	}
	return first;
}

static bool has_hook(const struct backend_trace *trace, const char *program)
{
	for (int i = 0; trace->hooks[i]; i++)
		if (!strcmp(trace->hooks[i]->program, program))
			return true;
	return false;
}

/* Some serve TCP and UDP, and stand in both tables. */
static int add_hooks(struct backend_trace *trace, int count,
		     const struct hook *hook)
{
	for (; hook->program && count < BACKEND_HOOKS_MAX; hook++)
		if (!has_hook(trace, hook->program))
			trace->hooks[count++] = hook;
	return count;
}

/* What was not asked for is not even shown to the kernel. */
static void choose_hooks(struct backend_trace *trace, unsigned int protos)
{
	int count = 0;

	if (!protos || protos & DEMUX_TCP)
		count = add_hooks(trace, count, trace->backend->hooks);
	if (protos & DEMUX_UDP)
		add_hooks(trace, count, trace->backend->datagram_hooks);
}

int backend_try(struct backend_trace *trace, const struct backend *backend,
		const struct backend_wish *wish, char *why, size_t size)
{
	int err;

	*trace = (struct backend_trace){ .backend = backend, .misses_fd = -1 };
	if (wish->wanted->protos & DEMUX_UDP && !wish->less_will_do &&
	    !backend->datagram_hooks->program) {
		snprintf(why, size, "this backend cannot trace UDP");
		return -ENOTSUP;
	}
	choose_hooks(trace, wish->wanted->protos);
	err = backend_load(trace, wish, why, size);
	if (err)
		return err;
	err = attach(trace, false, why, size);
	if (err)
		return err;
	backend_load_finish(trace);
	if (wish->before_segments)
		wish->before_segments(wish->context, trace->config);
	return attach(trace, true, why, size);
}

/* What is in the way of all is said once. */
static void say_whys(const char *name, char whys[BACKENDS][WHY_MAX])
{
	bool is_one = !name;

	for (size_t i = 1; is_one && i < BACKENDS; i++)
		is_one = !strcmp(whys[i], whys[0]);
	if (is_one) {
		log_error("%s", whys[0]);
		return;
	}
	for (int i = 0; backends[i]; i++)
		if (!name || !strcmp(backends[i]->name, name))
			log_error("%s: %s", backends[i]->name, whys[i]);
}

struct backend_trace *backend_start(const char *name,
				    const struct backend_wish *wish)
{
	struct backend_trace *trace = malloc(sizeof(*trace));
	char whys[BACKENDS][WHY_MAX];

	if (!trace) {
		log_error("out of memory");
		return NULL;
	}
	for (int i = 0; backends[i]; i++) {
		if (name && strcmp(backends[i]->name, name))
			continue;
		if (!backend_try(trace, backends[i], wish, whys[i],
				 sizeof(whys[i])))
			return trace;
		backend_close(trace);
		log_info("%s: %s", backends[i]->name, whys[i]);
	}
	/* Only now it matters, and -v has said it already. */
	if (!log_verbose)
		say_whys(name, whys);
	free(trace);
	return NULL;
}

/* --- the end ---------------------------------------------------------------- */

/* Its perf event stays, with what it counted, until backend_misses() asked. */
void backend_end_segments(struct backend_trace *trace)
{
	for (int i = BACKEND_HOOKS_MAX - 1; i >= 0; i--) {
		if (!trace->links[i] || trace->probe_fds[i] ||
		    !trace->hooks[i]->begins)
			continue;
		bpf_link__destroy(trace->links[i]);
		trace->links[i] = NULL;
	}
}

/* In reverse order: a segment that has begun is still followed to its end. */
void backend_detach(struct backend_trace *trace)
{
	for (int i = BACKEND_HOOKS_MAX - 1; i >= 0; i--) {
		bpf_link__destroy(trace->links[i]);
		trace->links[i] = NULL;
	}
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(trace->own_links[i]);
		trace->own_links[i] = NULL;
	}
}

void backend_close(struct backend_trace *trace)
{
	backend_detach(trace);
	for (int i = 0; i < trace->spare_count; i++)
		close(trace->spares[i]);
	if (trace->misses_fd >= 0)
		close(trace->misses_fd);
	if (trace->skeleton)
		trace->backend->free(trace);
	for (int i = 0; i < BACKEND_REASONS_MAX; i++) {
		free(trace->reasons[i]);
		trace->reasons[i] = NULL;
	}
}

void backend_free(struct backend_trace *trace)
{
	backend_close(trace);
	free(trace);
}

/* --- what a source asks ------------------------------------------------------ */

int backend_map(struct backend_trace *trace, const char *name, size_t *size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(trace->object, name);

	if (size)
		*size = bpf_map__value_size(map);
	return bpf_map__fd(map);
}

bool backend_find_fds(struct backend_trace *trace)
{
	char unused[64];
	int fd;

	if (!trace->spare_count)
		return false;
	fd = trace->spares[--trace->spare_count];
	while (read(fd, unused, sizeof(unused)) > 0)
		;
	close(fd);
	return true;
}

bool backend_is_without(const char *without, const char *symbol)
{
	size_t len = strlen(symbol);
	const char *at = without;

	for (; at && (at = strstr(at, symbol)); at += len)
		if ((at == without || at[-1] == ',') &&
		    (!at[len] || at[len] == ','))
			return true;
	return false;
}
