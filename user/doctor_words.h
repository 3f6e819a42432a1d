/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor_words.h - what hooks are called in both kinds of report.
 */
#ifndef DOCTOR_WORDS_H
#define DOCTOR_WORDS_H

#include "backend.h"

static inline const char *doctor_words_kind(enum hook_kind kind)
{
	static const char *const names[] = {
		[HOOK_FENTRY] = "trampoline",
		[HOOK_KPROBE] = "kprobe",
		[HOOK_KRETPROBE] = "kretprobe",
		[HOOK_TRACEPOINT] = "tracepoint",
		[HOOK_CGROUP] = "cgroup",
		[HOOK_EVENT] = "perf event",
	};

	return names[kind];
}

static inline const char *doctor_words_need(enum hook_need need)
{
	static const char *const names[] = {
		[HOOK_NEEDED] = "needed",
		[HOOK_PROOF] = "proof",
		[HOOK_EXTRA] = "extra",
		[HOOK_DETAIL] = "detail",
	};

	return names[need];
}

#endif
