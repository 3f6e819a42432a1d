/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend.h - the ways to hook into a kernel, and the choice among them. A
 * started backend feeds source_live.c.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;

enum hook_need {
	HOOK_NEEDED, /* the backend does not start without it */
	HOOK_PROOF, /* the proof is refused without it */
	HOOK_EXTRA, /* a detail is unknown without it */
	HOOK_DETAIL, /* the same, and attached only with --detail */
};

enum hook_kind {
	HOOK_FENTRY, /* or fexit: a BPF trampoline */
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_TRACEPOINT, /* a BTF tracepoint */
	HOOK_CGROUP, /* cgroup_skb, at the root of the hierarchy */
	HOOK_EVENT, /* the perf event of a tracepoint that may fault */
};

/* What it means that the kernel did not run a hook's program, because one of
 * its kind ran on that CPU already. */
enum hook_miss {
	MISS_SHOWS, /* another hook saw it, or it shows in the segment */
	MISS_SEGMENT, /* a segment was not seen at all */
	MISS_DATAGRAM, /* a datagram was not */
	MISS_DOUBT, /* a segment may be told wrongly */
};

/* A backend lists its hooks in the order in which they are attached: what ends a
 * socket's life or an accept before what begins it, and what begins a segment
 * last. Nothing begins that would not be followed. */
struct hook {
	const char *program; /* its name in the BPF object */
	const char *symbol; /* the function, the tracepoint */
	enum hook_kind kind;
	bool begins; /* the record of a segment, or of a datagram */
	enum hook_miss miss;
	enum hook_need need;
	const char *gives;
};

#define BACKEND_HOOKS_MAX   80
#define BACKEND_SPARES_MAX  16
#define BACKEND_REASONS_MAX 256

/* A backend at work, or one that was tried. */
struct backend_trace {
	const struct backend *backend;
	void *skeleton; /* the backend's own */
	struct bpf_object *object; /* the skeleton's */
	struct demux_config *config; /* in .rodata; complete after load */
	/* Of what is asked for; the last is NULL. */
	const struct hook *hooks[BACKEND_HOOKS_MAX + 1];
	struct bpf_link *links[BACKEND_HOOKS_MAX]; /* as in hooks */
	int probe_fds[BACKEND_HOOKS_MAX]; /* kprobes: the perf event, 0: none */
	int errors[BACKEND_HOOKS_MAX]; /* -errno, why it is not attached */
	bool pointless[BACKEND_HOOKS_MAX]; /* as IPv6's where there is none,
					      or not asked for */
	struct bpf_link *own_links[2]; /* on_fork, on_exit: of no hook */
	int spares[BACKEND_SPARES_MAX]; /* iterators, see backend_find_fds() */
	int spare_count;
	bool counts_recursion; /* this kernel counts what programs miss */
	int misses_fd; /* iterator over the perf events of kprobes; -1: none */
	unsigned long long calls_before[BACKEND_HOOKS_MAX]; /* kprobes: of the
				function, before backend_misses_open() */
	char *reasons[BACKEND_REASONS_MAX]; /* names of drop reasons */
	char missing[160]; /* HOOK_PROOF hooks that did not attach */
	char coverage[160]; /* all hooks that did not attach */
	char observed[160]; /* what is predicted, or not seen at all */
};

struct backend_wish {
	const struct demux_config *wanted; /* its first part; see config.h */
	size_t ring_size; /* bytes, a power of two of whole pages */
	const char *without; /* symbols not to hook, for tests; may be NULL */
	bool less_will_do; /* a backend that has nothing for UDP traces TCP */
	/* Called with the complete config when everything is attached but what
	 * begins segments; may be NULL. */
	void (*before_segments)(void *context,
				const struct demux_config *config);
	void *context;
};

struct btf;

struct backend {
	const char *name;
	const char *about; /* one line, for doctor */
	const struct hook *hooks; /* of TCP; the last has no program */
	const struct hook *datagram_hooks; /* of UDP, likewise */
	/* Fills skeleton, object and config. 0 or -errno. */
	int (*open)(struct backend_trace *trace);
	/* Fills what only this backend needs of config, and observed; may be
	 * NULL. 0, or -errno with the reason in @why. */
	int (*describe)(struct backend_trace *trace, const struct btf *btf,
			char *why, size_t size);
	/* NULL: bpf_program__attach() does. Sets errno where it fails. */
	struct bpf_link *(*attach)(struct backend_trace *trace, int hook,
				   struct bpf_program *program);
	void (*free)(struct backend_trace *trace);
};

/*
 * Starts the named backend, or with NULL the first that works. Returns NULL
 * after messages that say why not.
 */
struct backend_trace *backend_start(const char *name,
				    const struct backend_wish *wish);

/* Loads and attaches @backend into @trace, whose errors then tell of each hook.
 * 0, or -errno with the reason in @why. backend_close() in either case. */
int backend_try(struct backend_trace *trace, const struct backend *backend,
		const struct backend_wish *wish, char *why, size_t size);
void backend_close(struct backend_trace *trace);

/* Detaches what begins segments: those under way are still followed. */
void backend_end_segments(struct backend_trace *trace);
/* Detaches all programs; what is in the ring stays there. */
void backend_detach(struct backend_trace *trace);
void backend_free(struct backend_trace *trace); /* of backend_start() */

/* The file descriptor and the size of values of a map of the object. */
int backend_map(struct backend_trace *trace, const char *name, size_t *size);

/* Looks for the descriptors of accepted sockets that wait for theirs: what is
 * found is in the ring then. False where that is not possible (any more). */
bool backend_find_fds(struct backend_trace *trace);

struct backend_misses {
	unsigned long long segments; /* MISS_SEGMENT */
	unsigned long long datagrams; /* MISS_DATAGRAM */
	unsigned long long doubts; /* MISS_DOUBT */
	/* Calls of what begins a segment or a datagram, missed ones too, since
	 * backend_misses_open(); with kprobes only, else 0. */
	unsigned long long segment_calls, datagram_calls;
};

/* Calls that the kernel kept from the programs; before backend_detach(), which
 * ends the counting. */
struct backend_misses backend_misses(struct backend_trace *trace);

/* Is @symbol in the list @without, "a,b"? */
bool backend_is_without(const char *without, const char *symbol);

/* By the order in which they are tried; the last is NULL. */
extern const struct backend *const backends[];
const char *backend_names(void); /* "fentry, kprobe, stable" */
bool backend_exists(const char *name);

extern const struct backend backend_fentry;
extern const struct backend backend_kprobe;
extern const struct backend backend_stable;

/* What they have for UDP. */
extern const struct hook backend_fentry_datagrams[];
extern const struct hook backend_kprobe_datagrams[];
extern const struct hook backend_stable_datagrams[];

#endif
