/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - words for people, on stderr. A helper that knows no stage.
 *
 * A message says what went wrong, on what, why, and what to do now. Bytes that
 * are not printable, as in a hostile file name, come out escaped.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>

#define LOG_ERRORS_ONLY (-1)

/* 0: errors and warnings; 1: what could not be attached and why; 2: all that
 * libbpf says too. */
extern int log_verbose;

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only with -v. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The bare line, without the program's name: scripts wait for it. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Passes libbpf's own messages on as -v asks; they mislead otherwise. */
void log_libbpf(void);

#endif
