// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_backend.c - tries the backends, and finds out why one does not work and
 * what would help.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_report.h"
#include "log.h"
#include "options.h"

#define RING_SIZE (64 * 1024)

/* --- what libbpf says -------------------------------------------------------- */

/* The verifier ends its log with what it did not like, and statistics. */
static void keep_last_words(struct doctor_backend *backend, const char *log)
{
	while (*log) {
		size_t len = strcspn(log, "\n");

		if (len && strncmp(log, "processed ", 10) &&
		    strncmp(log, "-- ", 3))
			snprintf(backend->said, sizeof(backend->said), "%.*s",
				 (int)len, log);
		log += len + (log[len] == '\n');
	}
}

void doctor_backend_hear(struct doctor_backend *backend, const char *message)
{
	static const char begin[] = "-- BEGIN PROG LOAD LOG --\n";
	const char *log = strstr(message, begin);
	char program[sizeof(backend->refused)];
	int error;

	if (log)
		keep_last_words(backend, log + strlen(begin));
	if (sscanf(message, "libbpf: prog '%63[^']': failed to load: %d",
		   program, &error) == 2)
		strcpy(backend->refused, program);
}

static struct doctor_backend *listening;

static int listen_to_libbpf(enum libbpf_print_level level, const char *format,
			    va_list args)
{
	char *message;

	(void)level;
	if (vasprintf(&message, format, args) < 0)
		return 0;
	doctor_backend_hear(listening, message);
	if (log_verbose >= 2)
		fputs(message, stderr);
	free(message);
	return 0;
}

/* --- the hooks --------------------------------------------------------------- */

void doctor_backend_hook_why(struct doctor_hook *hook)
{
	static const struct {
		int error;
		unsigned int kinds; /* of hooks */
		const char *why;
	} reasons[] = {
		{ ECANCELED, ~0u, "left out by --without" },
		{ ENOENT, 1 << HOOK_TRACEPOINT,
		  "this kernel has no such tracepoint" },
		{ ENOENT, 1 << HOOK_EVENT,
		  "this kernel never preempts what hangs on the tracepoint" },
		{ ENOENT, ~0u,
		  "this kernel has no such function, or has built it into its "
		  "callers" },
		{ ENODEV, 1 << HOOK_CGROUP, "cgroup v2 is not mounted" },
		{ EPERM, 1 << HOOK_CGROUP,
		  "refused: a capability is missing, or another program that "
		  "is attached there tolerates no others" },
		{ E2BIG, 1 << HOOK_FENTRY,
		  "too many other BPF programs are attached to it" },
		{ EBUSY, 1 << HOOK_FENTRY,
		  "something else, as live patching, has the function" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].error != -hook->error ||
		    !(reasons[i].kinds & 1u << hook->hook->kind))
			continue;
		snprintf(hook->why, sizeof(hook->why), "%s", reasons[i].why);
		return;
	}
	snprintf(hook->why, sizeof(hook->why), "%s", doctor_error(hook->error));
}

static void take_hooks(struct doctor_backend *backend,
		       const struct backend_trace *trace)
{
	for (int i = 0; trace->hooks[i]; i++) {
		struct doctor_hook *own = &backend->hooks[i];

		*own = (struct doctor_hook){ .hook = trace->hooks[i],
					     .error = trace->errors[i] };
		backend->hook_count++;
		if (own->hook->need == HOOK_DETAIL && trace->pointless[i]) {
			own->error = 0;
			strcpy(own->why, "only --detail asks for it");
			continue;
		}
		if (trace->links[i])
			own->state = DOCTOR_ATTACHED;
		else if (trace->pointless[i])
			own->state = DOCTOR_POINTLESS;
		else if (own->error)
			own->state = DOCTOR_NOT_ATTACHED;
		if (own->error)
			doctor_backend_hook_why(own);
	}
}

/* The one program that the kernel is known to have refused. */
static void mark_refused(struct doctor_backend *backend, int err)
{
	for (int i = 0; i < backend->hook_count; i++) {
		struct doctor_hook *hook = &backend->hooks[i];

		if (strcmp(hook->hook->program, backend->refused))
			continue;
		hook->state = DOCTOR_NOT_ATTACHED;
		hook->error = err;
		snprintf(hook->why, sizeof(hook->why),
			 "the kernel does not load its program: %s",
			 doctor_error(err));
	}
}

static void try(struct doctor_backend *backend, const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &options->wanted,
		.ring_size = RING_SIZE,
		.without = options->without,
	};
	struct backend_trace *trace = malloc(sizeof(*trace));
	int verbose = log_verbose, err = -ENOMEM;

	if (!trace) {
		strcpy(backend->error, "out of memory");
		return;
	}
	/* What is said meanwhile comes in the report. */
	if (verbose < 2)
		log_verbose = LOG_ERRORS_ONLY;
	listening = backend;
	libbpf_set_print(listen_to_libbpf);
	err = backend_try(trace, backend->backend, &wish, backend->error,
			  sizeof(backend->error));
	take_hooks(backend, trace);
	strcpy(backend->missing, trace->missing);
	strcpy(backend->observed, trace->observed);
	backend_close(trace);
	log_libbpf();
	log_verbose = verbose;
	free(trace);
	backend->works = !err;
	if (err)
		mark_refused(backend, err);
	else
		backend->error[0] = backend->refused[0] = '\0';
}

/* --- why ------------------------------------------------------------------------ */

/* A needed hook that was left out on purpose. */
static bool is_without(const struct doctor_backend *backend)
{
	for (int i = 0; i < backend->hook_count; i++)
		if (backend->hooks[i].error == -ECANCELED &&
		    backend->hooks[i].hook->need == HOOK_NEEDED)
			return true;
	return false;
}

static const struct doctor_check *obstacle(const struct doctor_report *report,
					   const struct backend *backend)
{
	for (int i = 0; i < report->check_count; i++) {
		const struct doctor_check *check = &report->checks[i];

		if (check->state == DOCTOR_BAD && check->meaning &&
		    (!check->of || check->of == backend))
			return check;
	}
	return NULL;
}

void doctor_backend_explain(struct doctor_backend *backend,
			    const struct doctor_report *report)
{
	const struct doctor_check *check = obstacle(report, backend->backend);

	backend->why = backend->help = NULL;
	if (backend->works)
		return;
	if (is_without(backend)) {
		backend->why = backend->error;
		backend->help = "do not leave it out";
	} else if (check) {
		backend->why = check->meaning;
		backend->help = check->help;
	} else {
		backend->why = backend->error;
		backend->help = "this tool may not know this kernel yet: "
				"report it, with what it says with -b and -vv";
	}
}

void doctor_backend_sum_up(struct doctor_report *report)
{
	const struct doctor_backend *backends_tried = report->backends;

	report->why = report->help = NULL;
	for (int i = 0; i < report->backend_count && !report->best; i++)
		if (backends_tried[i].works)
			report->best = &backends_tried[i];
	if (report->best)
		return;
	report->why = backends_tried[0].why;
	report->help = backends_tried[0].help;
	for (int i = 1; i < report->backend_count; i++) {
		if (backends_tried[i].why == report->why)
			continue;
		report->why = "none of its backends works here, each for a "
			      "reason of its own";
		report->help = "see below, for each of them";
	}
}

void doctor_backends(struct doctor_report *report,
		     const struct options *options)
{
	for (int i = 0; backends[i]; i++) {
		struct doctor_backend *backend;

		if (options->backend &&
		    strcmp(options->backend, backends[i]->name))
			continue;
		backend = &report->backends[report->backend_count++];
		backend->backend = backends[i];
		try(backend, options);
		doctor_backend_explain(backend, report);
	}
	doctor_backend_sum_up(report);
}
