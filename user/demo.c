// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo.c - the experiment that everyone gets wrong, live: its steps, and
 * whether they showed what they should.
 */
#include "demo.h"

#include <errno.h>
#include <string.h>

#include "demo_chain.h"
#include "demo_stage.h"
#include "demo_tables.h"
#include "log.h"

static int introduce(struct demo_stage *stage)
{
	demo_say(&stage->words,
		 "Three clients talk to one TCP echo server. Many believe that "
		 "accept() gives\n"
		 "each client a new port on the server. This is what the "
		 "kernel does.\n\n"
		 "  server    %s:%d",
		 DEMO_SERVER, DEMO_PORT);
	for (int i = 0; i < DEMO_CLIENTS; i++) {
		static const char *const remarks[DEMO_CLIENTS] = {
			"",
			"   the host of A, another port",
			"   another host, the port of A",
		};

		demo_say(&stage->words, "  client %c  %s:%u%s",
			 demo_clients[i].name, demo_clients[i].addr,
			 demo_clients[i].port, remarks[i]);
	}
	if (stage->cast.one_bucket)
		demo_say(
			&stage->words,
			"\nA host keeps its connections in a hash table of "
			"many thousand slots. The server's\n"
			"has one: all stand in one chain, the newest first, "
			"and the kernel compares the\n"
			"two endpoints with one after the other.\n\n"
			"  slot 0/1 pos 2/3   in slot 0 of 1, behind two, of "
			"three\n"
			"  slot 0/1 chain 2   none of the two that stood there "
			"had these endpoints\n"
			"  1 listener         could take it; queue 0/16: of 16 "
			"that may, 0 wait for accept()\n"
			"  seq, ack, win      of the segment's header; the SYN "
			"has seq 0");
	demo_say(&stage->words,
		 "\nEach line below is a TCP segment that reached the server, "
		 "with the socket (#N)\n"
		 "that the kernel matched it to; or a socket's listen, accept "
		 "or close. What\n"
		 "arrives elsewhere, at the clients for one, counts as "
		 "filtered out.");
	if (strstr(stage->pipeline.source->head.observed, "predicted"))
		demo_say(&stage->words,
			 "A ~ marks what this backend does not see, but "
			 "predicts.");
	return 0;
}

/* The server's sockets by /proc, with their numbers in the trace. */
static int read_tables(struct demo_stage *stage, struct demo_row *rows)
{
	pid_t pid = stage->cast.actors[DEMO_THE_SERVER].pid;
	int count = demo_tables_read(rows, pid);

	if (count < 0) {
		log_error("the demo failed: cannot read the server's sockets "
			  "from /proc/%d: %s",
			  (int)pid, strerror(-count));
		return count;
	}
	if (!demo_tables_compare(rows, count, &stage->pipeline.model,
				 stage->netns)) {
		log_error("the demo failed: /proc tells of another inode or "
			  "descriptor than the trace");
		return -EBADMSG;
	}
	return count;
}

static int show_tables(struct demo_stage *stage)
{
	struct demo_row rows[DEMO_ROWS_MAX];
	int count = read_tables(stage, rows), here = 0;

	if (count < 0)
		return count;
	demo_tables_show(&stage->words, rows, count,
			 stage->cast.actors[DEMO_THE_SERVER].pid);
	for (int i = 0; i < count; i++)
		here += rows[i].ends.lport == DEMO_PORT;
	if (here == count && count == 1 + DEMO_CLIENTS)
		return 0;
	log_error("the demo failed: /proc shows %d sockets of the server, %d "
		  "of them on port %d; there should be a listener and %d more, "
		  "all on that port",
		  count, here, DEMO_PORT, DEMO_CLIENTS);
	return -EBADMSG;
}

static int show_chain(struct demo_stage *stage)
{
	struct demo_row rows[DEMO_ROWS_MAX];
	int count = read_tables(stage, rows);

	if (count < 0)
		return count;
	return demo_chain_show(&stage->words, rows, count) ? 0 : -EBADMSG;
}

static const struct demo_step steps[] = {
	{ .show = introduce },
	{ .words = "The server listens on port " TEXT(DEMO_PORT) ".",
	  .role = DEMO_THE_SERVER,
	  .order = DEMO_LISTEN,
	  .answers = { [DEMO_THE_SERVER] = 1 } },
	{ .words = "A connects. If that took a new port, accept would show it "
		   "under LOCAL.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_CONNECT,
	  .arg = 0,
	  .answers = { [DEMO_THE_SERVER] = 1, [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "B connects, from the host of A: only its port differs.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_CONNECT,
	  .arg = 1,
	  .answers = { [DEMO_THE_SERVER] = 1, [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "C connects, from the port of A: only its host differs.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_CONNECT,
	  .arg = 2,
	  .answers = { [DEMO_THE_SERVER] = 1, [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "All three say hello to one port. Each checks that its own "
		   "comes back, and ACKs it.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_HELLO,
	  .answers = { [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "The same sockets without the tracer: what /proc tells "
		   "netstat and lsof.",
	  .show = show_tables },
	{ .words = "The one chain, as /proc/net/tcp goes along it, and where "
		   "segments found it.",
	  .show = show_chain,
	  .of_one_bucket = true },
	{ .words = "A knocks on the closed port " TEXT(DEMO_CLOSED_PORT) ".",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_KNOCK,
	  .answers = { [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "The clients hang up.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_HANG_UP,
	  .answers = { [DEMO_THE_SERVER] = DEMO_CLIENTS,
		       [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "The server closes its listener.",
	  .role = DEMO_THE_SERVER,
	  .order = DEMO_SHUT,
	  .answers = { [DEMO_THE_SERVER] = 1 } },
};

static const char *find_doubt(const struct summary *summary,
			      const struct port *open)
{
	if (open->listeners != 1)
		return "the trace has not exactly 1 listener on the server's "
		       "port";
	if (open->sockets != DEMO_CLIENTS || summary->accepted != DEMO_CLIENTS)
		return "the trace has not one accepted socket for each client";
	if (open->remote_ends != DEMO_CLIENTS)
		return "the trace has not one remote endpoint for each client";
	return NULL;
}

static void conclude(struct demo_stage *stage, const struct port *open)
{
	const struct summary *summary = &stage->pipeline.summary;

	demo_say(&stage->words,
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
		 (unsigned long long)open->remote_ends, DEMO_CLOSED_PORT);
	if (stage->cast.one_bucket)
		demo_say(&stage->words,
			 "All stood in one chain, so it was not the hash that "
			 "told them apart.");
}

int demo(const struct options *options)
{
	static const struct demo_play play = {
		.steps = steps,
		.count = sizeof(steps) / sizeof(steps[0]),
		.find_doubt = find_doubt,
		.conclude = conclude,
	};

	return demo_stage_run(&play, options);
}
