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

struct bpf_program;

enum hook_need {
	HOOK_NEEDED, /* the backend does not start without it */
	HOOK_PROOF, /* the proof is refused without it */
	HOOK_EXTRA, /* a detail is unknown without it */
};

/* A backend lists its hooks in the order in which they are attached, those on
 * a segment's entry last: nothing begins that would not be followed. */
struct hook {
	const char *program; /* its name in the BPF object */
	const char *symbol; /* the function, or the tracepoint */
	bool is_tracepoint;
	bool is_entry; /* begins the record of a segment */
	enum hook_need need;
	const char *gives;
};

#define BACKEND_HOOKS_MAX 32

/* A backend at work. */
struct backend_trace {
	const struct backend *backend;
	void *object; /* the backend's own: its skeleton */
	int ring_fd; /* struct demux_* records */
	int cells_fd; /* one struct cell per CPU; the counters come first */
	int accepting_fd; /* struct demux_accept without a descriptor, by key */
	size_t cell_size;
	struct bpf_link *links[BACKEND_HOOKS_MAX]; /* as in backend->hooks */
	bool pointless[BACKEND_HOOKS_MAX]; /* as IPv6's where there is none */
	char missing[160]; /* HOOK_PROOF hooks that did not attach */
};

struct backend_wish {
	const struct demux_config *wanted; /* its first part; see config.h */
	size_t ring_size; /* bytes, a power of two of whole pages */
	const char *without; /* symbols not to hook, for tests; may be NULL */
};

struct backend {
	const char *name;
	const struct hook *hooks; /* the last has no program */
	/* Loads all that this kernel has; 0, or -errno with the reason in @why,
	 * and then nothing is left. */
	int (*load)(struct backend_trace *trace,
		    const struct backend_wish *wish, char *why, size_t size);
	struct bpf_program *(*program)(struct backend_trace *trace,
				       const char *name);
	void (*free)(struct backend_trace *trace);
};

/*
 * Starts the named backend, or with NULL the first that works. Returns NULL
 * after messages that say why not.
 */
struct backend_trace *backend_start(const char *name,
				    const struct backend_wish *wish);

/* Detaches all programs; what is in the ring stays there. */
void backend_detach(struct backend_trace *trace);
void backend_free(struct backend_trace *trace);

/* Segments that the recursion guard kept from the entry hooks. */
unsigned long long backend_unseen(struct backend_trace *trace);

/* "fentry" */
const char *backend_names(void);
bool backend_exists(const char *name);

extern const struct backend backend_fentry;

#endif
