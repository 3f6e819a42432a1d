// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields_summary.c - the columns of the summary, but for its list of ports,
 * which each sink shows in its own way from struct summary.
 */
#include "fields.h"

#include "clock.h"
#include "proof.h"
#include "recording.h"

static bool get_event(const struct event *event, struct value *value)
{
	(void)event;
	return value_name(value, "summary");
}

static bool get_time(const struct event *event, struct value *value)
{
	clock_rfc3339(value->buffer, event->head->mono_ns,
		      event->trace->clock_offset_ns);
	return event->head->mono_ns && value_name(value, value->buffer);
}

static bool get_mono_ns(const struct event *event, struct value *value)
{
	return event->head->mono_ns &&
	       value_number(value, event->head->mono_ns);
}

#define COUNT(member)                                               \
	static bool get_##member(const struct event *event,         \
				 struct value *value)               \
	{                                                           \
		return value_number(value, event->summary->member); \
	}

/* Counted by the kernel half, so unknown where the end is missing. */
#define KERNEL_COUNT(member)                                        \
	static bool get_##member(const struct event *event,         \
				 struct value *value)               \
	{                                                           \
		return event->summary->complete &&                  \
		       value_number(value, event->summary->member); \
	}

/* Of a trace that UDP was asked for. */
#define UDP_COUNT(member)                                               \
	static bool get_udp_##member(const struct event *event,         \
				     struct value *value)               \
	{                                                               \
		return event->summary->udp.is_there &&                  \
		       value_number(value, event->summary->udp.member); \
	}

#define UDP_KERNEL_COUNT(member)                                        \
	static bool get_udp_##member(const struct event *event,         \
				     struct value *value)               \
	{                                                               \
		return event->summary->udp.complete &&                  \
		       value_number(value, event->summary->udp.member); \
	}

UDP_COUNT(datagrams)
UDP_COUNT(copies)
UDP_KERNEL_COUNT(filtered)
UDP_KERNEL_COUNT(lost)
UDP_KERNEL_COUNT(skipped)
UDP_COUNT(proved)
UDP_COUNT(explained)
UDP_COUNT(unexplained)
COUNT(segments)
KERNEL_COUNT(filtered)
KERNEL_COUNT(lost)
KERNEL_COUNT(lost_other)
KERNEL_COUNT(skipped)
KERNEL_COUNT(stuck)
KERNEL_COUNT(not_host)
COUNT(accepted)
COUNT(proved)
COUNT(explained)
COUNT(unexplained)

static bool get_verdict(const struct event *event, struct value *value)
{
	return value_name(value,
			  event->summary->is_proved ? "proved" : "not_proved");
}

static bool get_backend(const struct event *event, struct value *value)
{
	return value_text(value, event->trace->backend);
}

static bool get_kernel(const struct event *event, struct value *value)
{
	return value_text(value, event->trace->kernel);
}

static bool get_missing(const struct event *event, struct value *value)
{
	return value_text(value, event->trace->missing);
}

static bool get_coverage(const struct event *event, struct value *value)
{
	return value_text(value, event->trace->coverage);
}

static bool get_observed(const struct event *event, struct value *value)
{
	const char *but = event->trace->observed;

	return value_text(value, *but ? but : "all");
}

const struct field summary_fields[] = {
	{ "event", OF_END, get_event },
	{ "time", OF_END, get_time },
	{ "mono_ns", OF_END, get_mono_ns },
	{ "kernel", OF_END, get_kernel },
	{ "backend", OF_END, get_backend },
	{ "missing", OF_END, get_missing },
	{ "coverage", OF_END, get_coverage },
	{ "observed", OF_END, get_observed },
	{ "segments", OF_END, get_segments },
	{ "filtered", OF_END, get_filtered },
	{ "lost", OF_END, get_lost },
	{ "lost_other", OF_END, get_lost_other },
	{ "skipped", OF_END, get_skipped },
	{ "stuck", OF_END, get_stuck },
	{ "not_host", OF_END, get_not_host },
	{ "accepted", OF_END, get_accepted },
	{ "proved", OF_END, get_proved },
	{ "explained", OF_END, get_explained },
	{ "unexplained", OF_END, get_unexplained },
	{ "datagrams", OF_END, get_udp_datagrams },
	{ "copies", OF_END, get_udp_copies },
	{ "datagrams_filtered", OF_END, get_udp_filtered },
	{ "copies_lost", OF_END, get_udp_lost },
	{ "datagrams_skipped", OF_END, get_udp_skipped },
	{ "copies_proved", OF_END, get_udp_proved },
	{ "copies_explained", OF_END, get_udp_explained },
	{ "copies_unexplained", OF_END, get_udp_unexplained },
	{ "verdict", OF_END, get_verdict },
	{ NULL, 0, NULL },
};
