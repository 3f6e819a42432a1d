// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_reason.c - why the kernel dropped a segment: the names of its reasons, and
 * what they say of the segment. Third stage.
 */
#include "model_reason.h"

#include <errno.h>
#include <string.h>

int model_reason_apply(struct model *model, struct event *event)
{
	const struct demux_reason *reason = event->reason;
	char **name = &model->reasons[reason->reason % MODEL_REASONS];

	event->repeated = true; /* the segment says it */
	if (reason->reason >= MODEL_REASONS || *name)
		return 0;
	*name = strdup(reason->name);
	return *name ? 0 : -ENOMEM;
}

/* What the kernel half does not know by number, the drop reason says by name. */
static enum demux_detail detail_of(const char *reason, unsigned int outcome)
{
	static const struct {
		uint8_t outcome;
		const char *begin; /* of the reason's name */
		enum demux_detail detail;
	} said[] = {
		{ DEMUX_ESTABLISHED, "SOCKET_BACKLOG", DEMUX_BACKLOG_FULL },
		{ DEMUX_REFUSED, "SOCKET_FILTER", DEMUX_BY_FILTER },
		{ DEMUX_REFUSED, "SECURITY_HOOK", DEMUX_BY_FILTER },
		{ DEMUX_REFUSED, "XFRM_POLICY", DEMUX_BY_POLICY },
		{ DEMUX_REFUSED, "TCP_MD5", DEMUX_BY_MD5 },
		{ DEMUX_REFUSED, "TCP_AO", DEMUX_BY_AO },
		{ DEMUX_REFUSED, "TCP_MINTTL", DEMUX_BY_TTL },
		{ DEMUX_REFUSED, "NOT_SPECIFIED", 0 },
		{ DEMUX_REFUSED, "", DEMUX_BY_OTHER },
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (said[i].outcome == outcome &&
		    !strncmp(reason, said[i].begin, strlen(said[i].begin)))
			return said[i].detail;
	return 0;
}

void model_reason_tell(const struct model *model, struct event *event)
{
	const struct demux_segment *seg = event->segment;
	enum demux_detail detail = 0;

	if (seg->have & DEMUX_HAVE_REASON && seg->drop_reason < MODEL_REASONS)
		event->drop_reason = model->reasons[seg->drop_reason];
	/* It was taken in, and then its socket went, and its queue with it. */
	if (event->drop_reason && !strcmp(event->drop_reason, "QUEUE_PURGE"))
		event->drop_reason = NULL;
	if (event->drop_reason && seg->have & DEMUX_HAVE_OUTCOME)
		detail = detail_of(event->drop_reason, seg->outcome);
	if (!detail && seg->have & DEMUX_HAVE_DETAIL)
		detail = seg->detail;
	event->detail = detail;
}
