// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_json.c - the report as one JSON object; docs/formats.md lists the keys.
 * What is not known is absent.
 */
#include "doctor_report.h"
#include "doctor_words.h"
#include "json.h"
#include "out.h"

static void put_text(struct out *out, const char *key, const char *text,
		     bool *first)
{
	if (!text || !*text)
		return;
	json_key(out, key, first);
	json_string(out, text);
}

static void put_bool(struct out *out, const char *key, bool value, bool *first)
{
	json_key(out, key, first);
	out_text(out, value ? "true" : "false");
}

static void put_hook(struct out *out, const struct doctor_hook *hook)
{
	bool first = true;

	out_text(out, "{");
	put_text(out, "program", hook->hook->program, &first);
	put_text(out, "symbol", hook->hook->symbol, &first);
	put_text(out, "kind", doctor_words_kind(hook->hook->kind), &first);
	put_text(out, "need", doctor_words_need(hook->hook->need), &first);
	put_text(out, "gives", hook->hook->gives, &first);
	if (hook->state != DOCTOR_NOT_TRIED)
		put_bool(out, "attached", hook->state == DOCTOR_ATTACHED,
			 &first);
	if (hook->state == DOCTOR_POINTLESS)
		put_bool(out, "pointless", true, &first);
	put_text(out, "why", hook->why, &first);
	out_text(out, "}");
}

static void put_backend(struct out *out, const struct doctor_backend *backend)
{
	bool first = true;

	out_text(out, "{");
	put_text(out, "name", backend->backend->name, &first);
	put_text(out, "about", backend->backend->about, &first);
	put_bool(out, "works", backend->works, &first);
	put_text(out, "why", backend->why, &first);
	put_text(out, "help", backend->help, &first);
	put_text(out, "error", backend->error, &first);
	put_text(out, "refused", backend->refused, &first);
	put_text(out, "kernel_says", backend->said, &first);
	put_text(out, "missing", backend->missing, &first);
	put_text(out, "observed", backend->observed, &first);
	json_key(out, "hooks", &first);
	out_text(out, "[");
	for (int i = 0; i < backend->hook_count; i++) {
		out_text(out, i ? "," : "");
		put_hook(out, &backend->hooks[i]);
	}
	out_text(out, "]}");
}

static void put_check(struct out *out, const struct doctor_check *check)
{
	bool first = true;

	out_text(out, "{");
	put_text(out, "name", check->name, &first);
	put_text(out, "value", check->value, &first);
	if (check->state != DOCTOR_UNKNOWN)
		put_bool(out, "ok", check->state == DOCTOR_GOOD, &first);
	put_text(out, "meaning", check->meaning, &first);
	put_text(out, "help", check->help, &first);
	if (check->of)
		put_text(out, "backend", check->of->name, &first);
	out_text(out, "}");
}

void doctor_json(struct out *out, const struct doctor_report *report)
{
	bool first = true;

	out_text(out, "{");
	put_text(out, "event", "doctor", &first);
	put_bool(out, "can_trace", report->best, &first);
	if (report->best)
		put_text(out, "backend", report->best->backend->name, &first);
	put_text(out, "why", report->why, &first);
	put_text(out, "help", report->help, &first);
	put_text(out, "kernel", report->kernel, &first);
	json_key(out, "backends", &first);
	out_text(out, "[");
	for (int i = 0; i < report->backend_count; i++) {
		out_text(out, i ? "," : "");
		put_backend(out, &report->backends[i]);
	}
	out_text(out, "]");
	json_key(out, "checks", &first);
	out_text(out, "[");
	for (int i = 0; i < report->check_count; i++) {
		out_text(out, i ? "," : "");
		put_check(out, &report->checks[i]);
	}
	out_text(out, "]}\n");
}
