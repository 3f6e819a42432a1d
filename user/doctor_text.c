// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_text.c - the report for people who know neither the machine nor BPF:
 * first the answer, then the reasons.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor_report.h"
#include "doctor_words.h"
#include "names.h"
#include "out.h"

#define WIDTH 100

/* --- lines -------------------------------------------------------------------- */

/* Writes @text, some of which may come from elsewhere, from column @indent on;
 * what does not fit goes on below. */
static void put_wrapped(struct out *out, size_t indent, const char *text)
{
	char safe[1024], *at = safe;

	names_escape(safe, sizeof(safe), text, strlen(text));
	while (strlen(at) > WIDTH - indent) {
		size_t len = WIDTH - indent;

		while (len && at[len] != ' ')
			len--;
		if (!len) /* a single long word */
			len = WIDTH - indent;
		out_bytes(out, at, len);
		out_text(out, "\n");
		out_spaces(out, indent);
		at += len + (at[len] == ' ');
	}
	out_text(out, at);
	out_text(out, "\n");
}

static void __attribute__((format(printf, 3, 4)))
put(struct out *out, size_t indent, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_wrapped(out, indent, text);
}

/* The label, a colon and the text, the text below itself. */
static void put_labelled(struct out *out, size_t indent, const char *label,
			 const char *text)
{
	if (!text || !*text)
		return;
	out_spaces(out, indent);
	out_text(out, label);
	out_text(out, ": ");
	put_wrapped(out, indent + strlen(label) + 2, text);
}

/* Text in a column. */
static void put_column(struct out *out, size_t width, const char *text)
{
	size_t len = strlen(text);

	out_text(out, text);
	out_spaces(out, len < width ? width - len : 1);
}

/* --- the answer --------------------------------------------------------------- */

/* What tracing is less for, where it works. */
static void put_limits(struct out *out, const struct doctor_report *report)
{
	for (int i = 0; i < report->check_count; i++) {
		const struct doctor_check *check = &report->checks[i];

		if (check->state == DOCTOR_LESS &&
		    (!check->of || check->of == report->best->backend))
			put_labelled(out, 2, check->name, check->meaning);
	}
}

static void put_answer(struct out *out, const struct doctor_report *report)
{
	const struct doctor_backend *best = report->best;

	if (best) {
		put(out, 0,
		    "sockdemux-trace can trace on this machine, with backend "
		    "%s.",
		    best->backend->name);
		put_labelled(out, 2, "no proof, as hooks are missing",
			     best->missing);
		put_labelled(out, 2, "limits", best->observed);
		put_limits(out, report);
		return;
	}
	put(out, 0, "sockdemux-trace cannot trace on this machine%s%s: %s.",
	    report->asked ? " with backend " : "",
	    report->asked ? report->asked : "", report->why);
	put_labelled(out, 2, "help", report->help);
}

/* --- backends ----------------------------------------------------------------- */

/* @before is the one above it, or NULL. */
static void put_backend(struct out *out, const struct doctor_backend *backend,
			const struct doctor_backend *before, bool verbose)
{
	static const size_t indent = 14;

	out_text(out, "  ");
	put_column(out, 4, backend->works ? "yes" : "no");
	put_column(out, indent - 6, backend->backend->name);
	put_wrapped(out, indent, backend->backend->about);
	if (backend->works)
		return;
	if (before && before->why == backend->why) {
		put_labelled(out, indent, "why", "the same");
	} else {
		put_labelled(out, indent, "why", backend->why);
		put_labelled(out, indent, "help", backend->help);
	}
	if (!verbose && backend->why != backend->error)
		return;
	if (backend->why != backend->error)
		put_labelled(out, indent, "error", backend->error);
	put_labelled(out, indent, "refused program", backend->refused);
	put_labelled(out, indent, "the kernel's last words", backend->said);
}

/* --- hooks -------------------------------------------------------------------- */

static int count(const struct doctor_backend *backend,
		 enum doctor_hook_state state)
{
	int found = 0;

	for (int i = 0; i < backend->hook_count; i++)
		found += backend->hooks[i].state == state;
	return found;
}

static void put_hook(struct out *out, const struct doctor_hook *hook)
{
	static const char *const marks[] = {
		[DOCTOR_NOT_TRIED] = "?",
		[DOCTOR_ATTACHED] = "yes",
		[DOCTOR_NOT_ATTACHED] = "no",
		[DOCTOR_POINTLESS] = "-",
	};

	out_spaces(out, 4);
	put_column(out, 4, marks[hook->state]);
	put_column(out, 18, hook->hook->program);
	put(out, 26, "%s (%s, %s): %s", hook->hook->symbol,
	    doctor_words_kind(hook->hook->kind),
	    doctor_words_need(hook->hook->need), hook->hook->gives);
	if (hook->state == DOCTOR_POINTLESS)
		put_labelled(
			out, 26, "pointless",
			hook->hook->kind == HOOK_EVENT ?
				hook->why :
				"there is nothing of that kind in this kernel");
	else if (hook->state == DOCTOR_NOT_ATTACHED)
		put_labelled(out, 26, "why not", hook->why);
	else if (hook->state == DOCTOR_NOT_TRIED && *hook->why)
		put_labelled(out, 26, "not tried", hook->why);
}

static void put_hooks(struct out *out, const struct doctor_backend *backend,
		      bool verbose)
{
	int attached = count(backend, DOCTOR_ATTACHED);
	int missing = count(backend, DOCTOR_NOT_ATTACHED);
	int pointless = count(backend, DOCTOR_POINTLESS);
	int untried = count(backend, DOCTOR_NOT_TRIED);

	out_text(out, "  ");
	put_column(out, 8, backend->backend->name);
	if (attached)
		put(out, 10, "%d of %d attached", attached,
		    backend->hook_count - pointless - untried);
	else
		put(out, 10, "not known, as it did not get so far%s",
		    missing ? ", but for:" : "");
	for (int i = 0; i < backend->hook_count; i++)
		if (backend->hooks[i].state == DOCTOR_NOT_ATTACHED ||
		    (verbose && untried < backend->hook_count - missing))
			put_hook(out, &backend->hooks[i]);
}

/* --- facts -------------------------------------------------------------------- */

static void put_check(struct out *out, const struct doctor_check *check)
{
	static const char *const marks[] = {
		[DOCTOR_GOOD] = "ok",
		[DOCTOR_LESS] = "less",
		[DOCTOR_BAD] = "no",
		[DOCTOR_UNKNOWN] = "?",
	};
	static const size_t indent = 33;
	const char *value = check->value[0] ? check->value : "not known";

	out_text(out, "  ");
	put_column(out, 5, marks[check->state]);
	put_column(out, indent - 7, check->name);
	if (check->state == DOCTOR_GOOD) {
		put(out, indent, check->meaning ? "%s (%s)" : "%s", value,
		    check->meaning);
		return;
	}
	put(out, indent, check->of ? "%s (matters to %s only)" : "%s", value,
	    check->of ? check->of->name : NULL);
	put_labelled(out, 9, "means", check->meaning);
	put_labelled(out, 9, "help", check->help);
}

void doctor_text(struct out *out, const struct doctor_report *report)
{
	put_answer(out, report);
	out_text(out, "\nBackends, the ways to look into a kernel, as they are "
		      "tried:\n");
	for (int i = 0; i < report->backend_count; i++)
		put_backend(out, &report->backends[i],
			    i ? &report->backends[i - 1] : NULL,
			    report->verbose);
	out_text(out, "\n");
	put(out, 2,
	    "Hooks, the places in the kernel that a backend watches (needed: "
	    "it does not work without; proof: nothing is proved without; "
	    "extra: a detail is unknown without%s):",
	    report->verbose ? "" : "; -v lists all");
	for (int i = 0; i < report->backend_count; i++)
		put_hooks(out, &report->backends[i], report->verbose);
	out_text(out, "\n");
	put(out, 2,
	    "This machine (ok: not in the way; less: traces, but not all; no: "
	    "in the way; ?: unknown):");
	for (int i = 0; i < report->check_count; i++)
		put_check(out, &report->checks[i]);
}
