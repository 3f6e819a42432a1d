// SPDX-License-Identifier: GPL-2.0-only
/*
 * text_summary.c - what a trace came to, in words. Last stage.
 */
#include "text_summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "names.h"

/* Without a filter a busy host has thousands of ports. */
#define PORTS_SHOWN 20

static void __attribute__((format(printf, 2, 3)))
put(struct out *out, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	out_text(out, text);
}

/* "1 segment", "2 segments" */
static const char *many(uint64_t count)
{
	return count == 1 ? "" : "s";
}

#define N(count) (unsigned long long)(count), many(count)

/* A line of the head's: text from a file, maybe somebody else's. */
static void put_head(struct out *out, const char *title, const char *text,
		     size_t size)
{
	char safe[sizeof(((struct recording_head *)0)->observed) * 4 + 1];

	if (!*text)
		return;
	names_escape(safe, sizeof(safe), text, size);
	put(out, "%s", title);
	out_text(out, safe);
	out_text(out, "\n");
}

static void put_datagrams(struct out *out, const struct summary *summary)
{
	const struct datagram_summary *udp = &summary->udp;

	if (!udp->is_there)
		return;
	put(out, "%llu datagram%s, %llu record%s of who got them",
	    N(udp->datagrams), N(udp->copies));
	if (udp->complete)
		put(out, ", %llu filtered out, %llu lost, %llu skipped",
		    (unsigned long long)udp->filtered,
		    (unsigned long long)udp->lost,
		    (unsigned long long)udp->skipped);
	out_text(out, "\n");
}

/* With -u, TCP is not even looked at. */
static bool udp_alone(const struct summary *summary)
{
	return summary->udp.is_there && !summary->segments &&
	       !summary->filtered && !summary->skipped;
}

static void put_segments(struct out *out, const struct summary *summary)
{
	put(out, "%llu segment%s", N(summary->segments));
	if (summary->complete)
		put(out, ", %llu filtered out, %llu lost, %llu skipped",
		    (unsigned long long)summary->filtered,
		    (unsigned long long)summary->lost,
		    (unsigned long long)summary->skipped);
	else
		put(out, ", filtered out, lost and skipped unknown");
	put(out, "; %llu accepted\n", (unsigned long long)summary->accepted);
}

static void put_counts(struct out *out, const struct summary *summary)
{
	const struct recording_head *head = summary->head;
	char kernel[sizeof(summary->head->kernel) * 4 + 1];
	char backend[sizeof(summary->head->backend) * 4 + 1];

	names_escape(kernel, sizeof(kernel), summary->head->kernel,
		     sizeof(summary->head->kernel));
	names_escape(backend, sizeof(backend), summary->head->backend,
		     sizeof(summary->head->backend));
	out_text(out, "\n");
	if (!udp_alone(summary))
		put_segments(out, summary);
	put_datagrams(out, summary);
	put(out, "kernel %s, backend %s\n", kernel, backend);
	put_head(out, "hooks not there: ", head->coverage,
		 sizeof(head->coverage));
	put_head(out, "", head->observed, sizeof(head->observed));
	if (summary->not_host)
		put(out,
		    "%llu frame%s addressed to other hosts, which TCP does not "
		    "count either\n",
		    N(summary->not_host));
}

/* Beside the remote endpoint, where several sockets had the same one. */
static void put_other_marks(struct out *out, const struct port *port)
{
	const char *marks[3], **end = marks;

	if (port->by_laddr)
		*end++ = "local address";
	if (port->by_device)
		*end++ = "device";
	if (port->sockets > port->peers.count)
		*end++ = "time";
	for (const char **mark = marks; mark < end; mark++)
		put(out, "%s %s", mark + 1 < end ? "," : " and by", *mark);
}

static void put_sockets(struct out *out, const struct port *port)
{
	if (port->listeners)
		put(out, " %llu listener%s,", N(port->listeners));
	if (!port->sockets) {
		put(out, " no connected socket;");
		return;
	}
	if (port->sockets == 1) {
		put(out, " 1 socket;");
		return;
	}
	put(out, " %llu sockets share this one local port",
	    (unsigned long long)port->sockets);
	if (!port->peers_full) {
		put(out, ", told apart by %llu remote endpoint%s",
		    N(port->remote_ends));
		put_other_marks(out, port);
	}
	put(out, ";\n ");
}

static void put_port(struct out *out, const struct port *port, bool is_proved)
{
	put(out, "port %u:", port->port);
	put_sockets(out, port);
	put(out, " %llu segment%s, %llu matched, %llu misdelivered\n",
	    N(port->segments), (unsigned long long)port->matched,
	    (unsigned long long)port->misdelivered);
	if (!port->misdelivered && !port->explained && port->sockets > 1 &&
	    is_proved)
		put(out,
		    "  each of the %llu was reached only by segments from "
		    "its own remote endpoint\n",
		    (unsigned long long)port->sockets);
}

/* A client's port is one socket's own, or of several with other peers: only
 * servers' are shown one by one, and of them those that something came to. */
static bool is_worth_a_line(const struct port *port)
{
	return port->segments &&
	       (port->listeners || port->sockets > port->older + 1 ||
		port->misdelivered || !port->sockets);
}

static void put_ports(struct out *out, const struct summary *summary)
{
	size_t shown = 0, left = 0, quiet = 0;
	bool single = true;

	for (size_t i = 0; i < summary->port_count; i++) {
		const struct port *port = summary->ports[i];

		if (shown < PORTS_SHOWN &&
		    (summary->port_count <= 4 || is_worth_a_line(port))) {
			put_port(out, port, summary->is_proved);
			shown++;
		} else if (port->segments) {
			left++;
			single &= port->sockets == 1;
		} else {
			quiet++;
		}
	}
	if (left)
		put(out, "%zu more port%s%s\n", left, many(left),
		    single ? ", of one socket each" : "");
	if (quiet)
		put(out, "%zu more port%s without a segment\n", quiet,
		    many(quiet));
}

static void put_udp_port(struct out *out, const struct port *port)
{
	put(out, "port %u of UDP:", port->port);
	if (port->sockets)
		put(out, " %llu socket%s;", N(port->sockets));
	else
		put(out, " no socket;");
	put(out,
	    " %llu datagram%s, %llu matched, %llu cop%s, %llu misdelivered\n",
	    N(port->segments), (unsigned long long)port->matched,
	    (unsigned long long)port->copies, port->copies == 1 ? "y" : "ies",
	    (unsigned long long)port->misdelivered);
}

static void put_udp_ports(struct out *out, const struct summary *summary)
{
	size_t shown = 0, left = 0;

	for (size_t i = 0; i < summary->udp_port_count; i++) {
		const struct port *port = summary->udp_ports[i];

		if (shown == PORTS_SHOWN || !port->segments) {
			left++;
			continue;
		}
		put_udp_port(out, port);
		shown++;
	}
	if (left)
		put(out, "%zu more port%s of UDP%s\n", left, many(left),
		    shown < PORTS_SHOWN ? " without a datagram" : "");
}

/* Exceptions, and the end of the sentence. */
static void put_explained(struct out *out, uint64_t count)
{
	if (count)
		put(out, "; %llu explained exception%s", N(count));
	out_text(out, ".\n");
}

static void put_claim(struct out *out, const struct summary *summary)
{
	if (!summary->is_proved) {
		put(out, "NOT PROVED:\n");
		for (size_t i = 0; i < summary->doubt_count; i++) {
			char safe[sizeof(summary->doubts[0]) * 4 + 1];

			names_escape(safe, sizeof(safe), summary->doubts[i],
				     sizeof(summary->doubts[0]));
			out_text(out, "  ");
			out_text(out, safe);
			out_text(out, "\n");
		}
		return;
	}
	if (summary->segments) {
		put(out,
		    "PROVED: every segment reached the socket that has its own "
		    "two endpoints, or a listener on\n"
		    "  its port, or was nobody's; none was misdelivered, none "
		    "lost");
		put_explained(out, summary->explained);
	}
	if (summary->udp.datagrams) {
		put(out,
		    "PROVED: every datagram reached a socket on its port and "
		    "address, connected to its sender or to\n"
		    "  nobody, or was nobody's; none was misdelivered, none "
		    "lost");
		put_explained(out, summary->udp.explained);
	}
}

void text_summary(struct out *out, const struct summary *summary)
{
	put_counts(out, summary);
	put_ports(out, summary);
	put_udp_ports(out, summary);
	put_claim(out, summary);
	out_end(out);
}
