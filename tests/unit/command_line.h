/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * command_line.h - command lines, each parsed in a child, since a wrong one
 * ends the program.
 */
#ifndef TESTS_COMMAND_LINE_H
#define TESTS_COMMAND_LINE_H

#include "test.h"

#include "log.h"
#include "options.h"

/* What the child leaves. */
static struct shared {
	struct options options;
	int verbose;
	char paths[PIPELINE_SINKS_MAX][40];
	char command[100]; /* each argument and a | */
} * shared;
static char words[4096]; /* on stdout and stderr */

static inline int map_shared(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED;
}

static inline void parse_here(char **argv, int argc, int out)
{
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	options_parse(&shared->options, argc, argv);
	shared->verbose = log_verbose;
	for (size_t i = 0; i < shared->options.output_count; i++)
		snprintf(shared->paths[i], sizeof(shared->paths[i]), "%s",
			 shared->options.outputs[i].path);
	for (char **arg = shared->options.command; arg && *arg; arg++)
		strcat(strcat(shared->command, *arg), "|");
	_exit(100);
}

/* The exit code, 100 where options_parse() returned. Arguments are separated
 * by spaces; '' is an empty one. */
static inline int parse(const char *line)
{
	char *copy = strdup(line), *argv[40] = { "sockdemux-trace" };
	int argc = 1, out = memfd_create("words", 0), status;
	pid_t child;
	ssize_t got;

	for (char *arg = strtok(copy, " "); arg; arg = strtok(NULL, " "))
		argv[argc++] = strcmp(arg, "''") ? arg : "";
	memset(shared, 0, sizeof(*shared));
	fflush(NULL);
	child = fork();
	if (!child)
		parse_here(argv, argc, out);
	waitpid(child, &status, 0);
	got = pread(out, words, sizeof(words) - 1, 0);
	words[got > 0 ? got : 0] = '\0';
	close(out);
	free(copy);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void good(const char *line)
{
	if (parse(line) != 100)
		fail_msg("'%s' was refused: %s", line, words);
}

static inline void bad(const char *line, const char *why)
{
	int code = parse(line);

	if (code != EXIT_USAGE)
		fail_msg("'%s' ended with %d", line, code);
	assert_contains(words, why);
}

#endif
