/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor_looks.h - one look at this machine each, for the table in
 * doctor_checks.c: what is read (doctor_facts.c), what is tried
 * (doctor_tries.c), and what is limited (doctor_limits.c).
 */
#ifndef DOCTOR_LOOKS_H
#define DOCTOR_LOOKS_H

#include "doctor_report.h"

enum doctor_state doctor_facts_kernel(struct doctor_check *check);
enum doctor_state doctor_facts_container(struct doctor_check *check);
enum doctor_state doctor_facts_privileges(struct doctor_check *check);
enum doctor_state doctor_facts_seccomp(struct doctor_check *check);
enum doctor_state doctor_facts_unprivileged(struct doctor_check *check);
enum doctor_state doctor_facts_lockdown(struct doctor_check *check);
enum doctor_state doctor_facts_cgroup(struct doctor_check *check);

enum doctor_state doctor_limits_memlock(struct doctor_check *check);
enum doctor_state doctor_tries_btf(struct doctor_check *check);
enum doctor_state doctor_tries_program(struct doctor_check *check);
enum doctor_state doctor_tries_seccomp(struct doctor_check *check);
enum doctor_state doctor_tries_trampoline(struct doctor_check *check);
enum doctor_state doctor_tries_kprobe(struct doctor_check *check);
enum doctor_state doctor_tries_paranoid(struct doctor_check *check);
enum doctor_state doctor_limits_symbols(struct doctor_check *check);
enum doctor_state doctor_limits_kptr(struct doctor_check *check);
enum doctor_state doctor_limits_ring(struct doctor_check *check);

/* The first line of a file, without its end. 0 or -errno. */
int doctor_facts_read(const char *path, char *line, size_t size);

/* Would CAP_SYSLOG, which is not there, show where functions lie? */
bool doctor_limits_needs_syslog(void);

/* Their parts that need no kernel: what is made of what was read. */
enum doctor_state doctor_facts_of_lockdown(struct doctor_check *check,
					   const char *text);
enum doctor_state doctor_facts_of_privileges(struct doctor_check *check,
					     unsigned long long caps,
					     bool in_namespace, bool hidden);
/* Signs of a container below @root, "" for this machine: "docker, podman". */
void doctor_facts_signs(const char *root, char *signs, size_t size);
enum doctor_state doctor_limits_of_memlock(struct doctor_check *check,
					   unsigned long long limit, int counts,
					   bool can_raise);
enum doctor_state doctor_limits_of_kptr(struct doctor_check *check, int value,
					bool shown, bool syslog);

#endif
