// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_udp.c - the counterpart of the demo: one UDP socket serves three clients,
 * and then another one, connected to the first client, takes its datagrams away.
 */
#include "demo_udp.h"

#include <errno.h>

#include "backend.h"
#include "clock.h"
#include "demo_acts_udp.h"
#include "demo_cast.h"
#include "demo_words.h"
#include "log.h"
#include "options.h"
#include "outputs.h"

#define SETTLE_NS 150000000ull /* as in demo.c */

struct udp_demo {
	struct pipeline pipeline;
	struct demux_config wanted;
	struct demo_cast cast;
	struct demo_words words;
	size_t begun; /* so many steps */
	uint64_t begun_ns; /* the last of them */
	uint64_t done_ns; /* its answer was there, 0: not yet */
	bool finished;
	bool failed; /* and said why */
};

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

static const struct step {
	const char *words;
	enum demo_role role;
	enum demo_order_kind order;
	uint32_t arg;
} steps[] = {
	{ "The server opens one UDP socket at port " TEXT(DEMO_PORT) ".",
	  DEMO_THE_SERVER, DEMO_UDP_OPEN, 0 },
	{ "A, B and C say hello. No accept, no socket for each: all reach the "
	  "one.",
	  DEMO_THE_CLIENTS, DEMO_UDP_HELLO, 0 },
	{ "The server opens a second socket at the same port, and connects it "
	  "to A.",
	  DEMO_THE_SERVER, DEMO_UDP_OPEN, 1 },
	{ "They say hello again. A's datagram reaches the connected socket.",
	  DEMO_THE_CLIENTS, DEMO_UDP_HELLO, 0 },
	{ "A sends to the closed port " TEXT(DEMO_CLOSED_PORT) ".",
	  DEMO_THE_CLIENTS, DEMO_UDP_KNOCK, 0 },
	{ "The server closes both.", DEMO_THE_SERVER, DEMO_UDP_SHUT, 0 },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void introduce(struct udp_demo *demo)
{
	demo_say(&demo->words,
		 "Three clients talk to one UDP echo server.\n\n"
		 "  server    %s:%d",
		 DEMO_SERVER, DEMO_PORT);
	for (int i = 0; i < DEMO_CLIENTS; i++)
		demo_say(&demo->words, "  client %c  %s:%u",
			 demo_clients[i].name, demo_clients[i].addr,
			 demo_clients[i].port);
	demo_say(&demo->words,
		 "\nEach line below is a datagram that reached the server, "
		 "with the socket (#N) that\n"
		 "the kernel gave it to; or a socket's bind or close.");
}

static int begin_step(struct udp_demo *demo)
{
	const struct step *step = &steps[demo->begun++];

	if (demo->begun == 1)
		introduce(demo);
	demo->begun_ns = clock_mono_ns();
	demo->done_ns = 0;
	demo_say(&demo->words, "\n%zu. %s", demo->begun, step->words);
	return demo_cast_order(&demo->cast, step->role, step->order, step->arg);
}

static bool is_done(const struct udp_demo *demo)
{
	return !demo->begun ||
	       demo->cast.actors[steps[demo->begun - 1].role].answers;
}

/* One round; non-zero ends the trace. */
static int tick(void *context)
{
	struct udp_demo *demo = context;
	uint64_t now_ns = clock_mono_ns();
	int err = demo_cast_hear(&demo->cast);

	if (!err && !demo->done_ns && !is_done(demo)) {
		if (now_ns - demo->begun_ns < DEMO_PATIENCE_S * 1000000000ull)
			return 0;
		log_error("the demo failed: step %zu was not done after %d s",
			  demo->begun, DEMO_PATIENCE_S);
		demo->failed = true;
		return 1;
	}
	if (!demo->done_ns)
		demo->done_ns = now_ns;
	if (!err && demo->begun && now_ns - demo->done_ns < SETTLE_NS)
		return 0;
	demo->finished = !err && demo->begun == STEPS;
	if (demo->finished)
		return 1;
	err = err ?: begin_step(demo);
	if (err) {
		log_error("the demo failed: %s", demo->cast.problem);
		demo->failed = true;
	}
	return demo->failed;
}

/* --- what came of it ----------------------------------------------------- */

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

/* What the summary says that it should not, or NULL. */
static const char *find_doubt(const struct summary *summary)
{
	const struct port *open = NULL, *closed = NULL;

	for (size_t i = 0; i < summary->udp_port_count; i++) {
		if (summary->udp_ports[i]->port == DEMO_PORT)
			open = summary->udp_ports[i];
		if (summary->udp_ports[i]->port == DEMO_CLOSED_PORT)
			closed = summary->udp_ports[i];
	}
	if (!open || open->matched != 2 * DEMO_CLIENTS)
		return "the trace has not two datagrams of each client";
	if (open->sockets != DEMO_UDP_SOCKETS)
		return "the trace has not exactly 2 sockets on the server's "
		       "port";
	if (!closed || !closed->segments || closed->matched)
		return "the knock on the closed port is not in the trace, or "
		       "was matched";
	if (!summary->is_proved)
		return "the proof was refused, for the reasons in the summary";
	return NULL;
}

static enum exit_code conclude(struct udp_demo *demo)
{
	const char *doubt;

	if (demo->failed)
		return EXIT_FAILED;
	if (!demo->finished) {
		demo_say(&demo->words,
			 "\nThe demo was ended before its last step.");
		return EXIT_DONE;
	}
	doubt = find_doubt(&demo->pipeline.summary);
	if (doubt) {
		log_error("the demo did not show what it should: %s", doubt);
		return EXIT_FAILED;
	}
	demo_say(&demo->words, "%s", both_stories);
	return EXIT_DONE;
}

/* --- before and around --------------------------------------------------- */

static void want_port(struct demux_config *wanted, uint16_t port)
{
	wanted->any_port = 0;
	wanted->ports[port >> 3] |= 1 << (port & 7);
}

static struct source *open_source(struct udp_demo *demo,
				  const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &demo->wanted,
		.ring_size = options->ring_size,
		.without = options->without,
	};

	demo->wanted = options->wanted;
	demo->wanted.netns = demo_cast_netns(&demo->cast, DEMO_THE_SERVER);
	want_port(&demo->wanted, DEMO_PORT);
	want_port(&demo->wanted, DEMO_CLOSED_PORT);
	return source_live(options->backend, &wish);
}

/* As in demo.c: the server makes the wire, the clients take its other end. */
static int join(struct demo_cast *cast)
{
	int err = demo_cast_order(cast, DEMO_THE_SERVER, DEMO_JOIN,
				  cast->actors[DEMO_THE_CLIENTS].pid);

	err = err ?: demo_cast_await(cast, DEMO_THE_SERVER);
	err = err ?: demo_cast_order(cast, DEMO_THE_CLIENTS, DEMO_JOIN, 0);
	return err ?: demo_cast_await(cast, DEMO_THE_CLIENTS);
}

static enum exit_code perform(struct udp_demo *demo,
			      const struct options *options)
{
	struct pipeline *pipeline = &demo->pipeline;
	int err = join(&demo->cast);

	if (err) {
		log_error("no demo: %s; it needs root, and a kernel with "
			  "network namespaces and veth (try: modprobe veth)",
			  demo->cast.problem);
		return EXIT_FAILED;
	}
	log_line("tracing with backend %s; Ctrl-C ends it",
		 pipeline->source->head.backend);
	pipeline->count_max = options->count;
	pipeline->duration_ns = options->duration_ns;
	pipeline->tick = tick;
	pipeline->tick_context = demo;
	err = pipeline_run(pipeline);
	return err && err != -EPIPE ? EXIT_FAILED : conclude(demo);
}

int demo_udp(const struct options *options)
{
	static struct udp_demo demo;
	enum exit_code code = EXIT_FAILED;
	int err;

	demo_words_open(&demo.words, options, demo.pipeline.sinks);
	err = demo_cast_start(&demo.cast);
	demo.pipeline.source = open_source(&demo, options);
	if (!demo.pipeline.source)
		code = EXIT_CANNOT_TRACE;
	else if (err)
		log_error("no demo: %s", demo.cast.problem);
	else if (!outputs_open(&demo.pipeline, options))
		code = perform(&demo, options);
	demo_cast_end(&demo.cast);
	demo_words_close(&demo.words);
	err = pipeline_close(&demo.pipeline);
	if (err && err != -EPIPE)
		code = code ?: EXIT_FAILED;
	return code;
}
