// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink.c - the list of sinks, and what they share. Last stage.
 */
#include "sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static const struct sink_type *const types[] = {
	&sink_text,
	&sink_json,
	&sink_record,
};

const struct sink_type *sink_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

const char *sink_names(void)
{
	return "text, json, record";
}

int sink_open(struct sink *sink, const struct sink_type *type, const char *path)
{
	int err;

	*sink = (struct sink){ .type = type };
	err = out_open(&sink->out, path);
	if (err == -EBADF && !strcmp(path, "-"))
		log_error("standard output is closed: give it somewhere to go, "
			  "or -o %s:FILE",
			  type->name);
	else if (err)
		log_error("cannot write '%s': %s", path, strerror(-err));
	return err;
}

int sink_close(struct sink *sink)
{
	int err = out_close(&sink->out);

	if (err && err != -EPIPE)
		log_error(
			"cannot write to %s: %s; what is there may end in the "
			"middle of a record",
			sink->out.name, strerror(-err));
	return err;
}
