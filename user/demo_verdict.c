// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_verdict.c - what the demo of TCP came to.
 */
#include "demo_verdict.h"

#include "demo_acts.h"
#include "log.h"

static const struct port *find_port(const struct summary *summary,
				    uint16_t number)
{
	static const struct port none;

	for (size_t i = 0; i < summary->port_count; i++)
		if (summary->ports[i]->port == number)
			return summary->ports[i];
	return &none;
}

/* What the summary says that it should not, or NULL. */
static const char *find_doubt(const struct summary *summary)
{
	const struct port *open = find_port(summary, DEMO_PORT);
	const struct port *closed = find_port(summary, DEMO_CLOSED_PORT);

	if (open->listeners != 1)
		return "the trace has not exactly 1 listener on the server's "
		       "port";
	if (open->sockets != DEMO_CLIENTS || summary->accepted != DEMO_CLIENTS)
		return "the trace has not one accepted socket for each client";
	if (open->peers.count != DEMO_CLIENTS)
		return "the trace has not one remote endpoint for each client";
	if (!closed->segments || closed->matched)
		return "the knock on the closed port is not in the trace, or "
		       "was matched";
	if (!summary->is_proved)
		return "the proof was refused, for the reasons in the summary";
	return NULL;
}

bool demo_verdict(struct demo_words *words, const struct summary *summary)
{
	const struct port *open = find_port(summary, DEMO_PORT);
	const char *doubt;

	doubt = find_doubt(summary);
	if (doubt) {
		log_error("the demo did not show what it should: %s", doubt);
		return false;
	}
	demo_say(words,
		 "\nNo client got a new port. The server accepted %llu "
		 "clients into %llu sockets, and all\n"
		 "of these have local port %u, as the listener has. The kernel "
		 "tells them apart by\n"
		 "their %llu remote endpoints, address and port together: A "
		 "and B share the address,\n"
		 "A and C the port, no two both. Port %d had no socket: the "
		 "knock found nobody.",
		 (unsigned long long)summary->accepted,
		 (unsigned long long)open->sockets, open->port,
		 (unsigned long long)open->peers.count, DEMO_CLOSED_PORT);
	return true;
}
