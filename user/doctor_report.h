/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor_report.h - what the doctor finds out, by trying; doctor_text.c and
 * doctor_json.c show it.
 */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "backend.h"

struct options;
struct out;

enum doctor_state {
	DOCTOR_GOOD,
	DOCTOR_LESS, /* tracing works, but not all of it */
	DOCTOR_BAD, /* in the way of tracing */
	DOCTOR_UNKNOWN,
};

/* A fact about this machine: a row of the table in doctor_checks.c, and what
 * was found. */
struct doctor_check {
	const char *name;
	/* Fills value, and where it knows better than the table the rest. */
	enum doctor_state (*look)(struct doctor_check *check);
	const struct backend *of; /* the only one that it matters to; NULL: all */
	const char *meaning; /* NULL where there is nothing to say */
	const char *help; /* what would make it good; NULL likewise */
	enum doctor_state state;
	char value[256]; /* as read, escape it; "": unknown */
	char words[256]; /* room for a meaning with numbers or names in it */
};

enum doctor_hook_state {
	DOCTOR_NOT_TRIED, /* the backend failed before */
	DOCTOR_ATTACHED,
	DOCTOR_NOT_ATTACHED,
	DOCTOR_POINTLESS, /* as IPv6's where there is none */
};

struct doctor_hook {
	const struct hook *hook;
	enum doctor_hook_state state;
	int error; /* -errno, where it is not attached */
	char why[160];
};

/* A backend that was tried, and is closed again. */
struct doctor_backend {
	const struct backend *backend;
	bool works;
	char error[400]; /* backend_try()'s words, "" where it works */
	char refused[64]; /* the program that the kernel did not load, "" none */
	char said[300]; /* the kernel's own last words on that, "" none */
	char missing[160]; /* as in struct backend_trace, where it works */
	char observed[160];
	const char *why; /* why it does not work; NULL: it does */
	const char *help;
	struct doctor_hook hooks[BACKEND_HOOKS_MAX];
	int hook_count;
};

#define DOCTOR_CHECKS_MAX   20
#define DOCTOR_BACKENDS_MAX 4

struct doctor_report {
	char kernel[65];
	const char *asked; /* -b, or NULL */
	struct doctor_check checks[DOCTOR_CHECKS_MAX];
	int check_count;
	struct doctor_backend backends[DOCTOR_BACKENDS_MAX];
	int backend_count;
	const struct doctor_backend *best; /* the first that works, or NULL */
	const char *why; /* why none does */
	const char *help;
	bool verbose;
};

/* strerror(), and a word for the one that the kernel does not show to others. */
const char *doctor_error(int err);

/* doctor_checks.c: looks at each fact of the table. */
void doctor_checks(struct doctor_report *report);

/* doctor_backend.c: loads, attaches and removes each backend that is asked for,
 * and finds out why it did not work. Needs the checks. */
void doctor_backends(struct doctor_report *report,
		     const struct options *options);
/* Its parts that need no kernel. */
void doctor_backend_explain(struct doctor_backend *backend,
			    const struct doctor_report *report);
void doctor_backend_sum_up(struct doctor_report *report);
void doctor_backend_hook_why(struct doctor_hook *hook);
/* Takes the refused program and the kernel's words out of a message of
 * libbpf. */
void doctor_backend_hear(struct doctor_backend *backend, const char *message);

/* For people, 100 columns; and as one object. */
void doctor_text(struct out *out, const struct doctor_report *report);
void doctor_json(struct out *out, const struct doctor_report *report);

#endif
