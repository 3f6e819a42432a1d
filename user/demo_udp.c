// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_udp.c - the counterpart of the demo: one UDP socket serves three clients,
 * and then another one, connected to the first client, takes its datagrams away.
 */
#include "demo_udp.h"

#include "demo_acts_udp.h"
#include "demo_stage.h"

static int introduce(struct demo_stage *stage)
{
	demo_say(&stage->words,
		 "Three clients talk to one UDP echo server.\n\n"
		 "  server    %s:%d",
		 DEMO_SERVER, DEMO_PORT);
	for (int i = 0; i < DEMO_CLIENTS; i++)
		demo_say(&stage->words, "  client %c  %s:%u",
			 demo_clients[i].name, demo_clients[i].addr,
			 demo_clients[i].port);
	demo_say(&stage->words,
		 "\nEach line below is a datagram that reached the server, "
		 "with the socket (#N) that\n"
		 "the kernel gave it to; or a socket's bind, connect or close. "
		 "What arrives\n"
		 "elsewhere, at the clients for one, counts as filtered out.");
	return 0;
}

static const struct demo_step steps[] = {
	{ .show = introduce },
	{ .words = "The server opens one UDP socket at "
		   "port " TEXT(DEMO_PORT) ".",
	  .role = DEMO_THE_SERVER,
	  .order = DEMO_UDP_OPEN,
	  .answers = { [DEMO_THE_SERVER] = 1 } },
	{ .words = "A, B and C say hello. No accept, no socket for each: all "
		   "reach the one.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_UDP_HELLO,
	  .answers = { [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "The server opens a second socket at the same port "
		   "(SO_REUSEADDR), and connects it to A.",
	  .role = DEMO_THE_SERVER,
	  .order = DEMO_UDP_OPEN,
	  .arg = 1,
	  .answers = { [DEMO_THE_SERVER] = 1 } },
	{ .words = "They say hello again. A's datagram reaches the connected "
		   "socket.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_UDP_HELLO,
	  .answers = { [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "A sends to the closed port " TEXT(
		  DEMO_CLOSED_PORT) ", and hears by ICMP that nobody is there.",
	  .role = DEMO_THE_CLIENTS,
	  .order = DEMO_UDP_KNOCK,
	  .answers = { [DEMO_THE_CLIENTS] = 1 } },
	{ .words = "The server closes both.",
	  .role = DEMO_THE_SERVER,
	  .order = DEMO_UDP_SHUT,
	  .answers = { [DEMO_THE_SERVER] = 1 } },
};

static const char both_stories[] =
	"\n"
	"                      TCP                         UDP\n"
	"  a socket per client accept() returns one        none: one socket "
	"takes all\n"
	"  made by             the handshake's last ACK    the program, with "
	"connect()\n"
	"  identified by       both addresses and ports    its own port and "
	"address;\n"
	"                                                  connected: all four "
	"values\n"
	"  a first packet      goes to a listener, by      goes to the same "
	"socket\n"
	"                      its port and address        as all others\n"
	"  nobody there        a reset                     ICMP port "
	"unreachable\n"
	"  one packet          one socket                  one, or with "
	"multicast each\n"
	"                                                  that asked for it\n"
	"\n"
	"Where the textbook simplifies: \"UDP is demultiplexed by two values, "
	"TCP by four\". A\n"
	"connected UDP socket is found by four, and a TCP listener by two. "
	"Beside these the network\n"
	"namespace always counts, and the device where a socket is bound to "
	"one; of a SO_REUSEPORT\n"
	"group a hash of all four chooses the member, of UDP as of TCP.";

static const char *find_doubt(const struct summary *summary,
			      const struct port *open)
{
	(void)summary;
	if (open->matched != 2 * DEMO_CLIENTS)
		return "the trace has not two datagrams of each client";
	if (open->sockets != DEMO_UDP_SOCKETS)
		return "the trace has not exactly 2 sockets on the server's "
		       "port";
	return NULL;
}

static void conclude(struct demo_stage *stage, const struct port *open)
{
	(void)open;
	demo_say(&stage->words, "%s", both_stories);
}

int demo_udp(const struct options *options)
{
	static const struct demo_play play = {
		.steps = steps,
		.count = sizeof(steps) / sizeof(steps[0]),
		.is_udp = true,
		.find_doubt = find_doubt,
		.conclude = conclude,
	};

	return demo_stage_run(&play, options);
}
