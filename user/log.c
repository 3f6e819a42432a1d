// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - words for people, on stderr. A helper that knows no stage.
 */
#include "log.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>

#include "names.h"

int log_verbose;

static void say(const char *before, const char *format, va_list args)
{
	char *text, *safe;

	if (vasprintf(&text, format, args) < 0)
		return;
	safe = names_printable(text);
	fprintf(stderr, "%s%s\n", before, safe ?: text);
	free(safe);
	free(text);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("sockdemux-trace: ", format, args);
	va_end(args);
}

void log_warn(const char *format, ...)
{
	va_list args;

	if (log_verbose <= LOG_ERRORS_ONLY)
		return;
	va_start(args, format);
	say("sockdemux-trace: warning: ", format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	if (log_verbose < 1)
		return;
	va_start(args, format);
	say("sockdemux-trace: ", format, args);
	va_end(args);
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

static int print_libbpf(enum libbpf_print_level level, const char *format,
			va_list args)
{
	(void)level;
	return log_verbose < 2 ? 0 : vfprintf(stderr, format, args);
}

void log_libbpf(void)
{
	libbpf_set_print(print_libbpf);
}
