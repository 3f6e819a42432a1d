// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo.c - the experiment that everyone gets wrong, live: its steps, driven
 * from the pipeline's rounds, so that each step's lines follow its words.
 */
#include "demo.h"

#include <errno.h>
#include <string.h>

#include "backend.h"
#include "clock.h"
#include "demo_cast.h"
#include "demo_chain.h"
#include "demo_tables.h"
#include "demo_verdict.h"
#include "demo_words.h"
#include "log.h"
#include "options.h"
#include "outputs.h"

/* From the last answer of a step to the next step: an acknowledgement may wait
 * 40 ms for company, and the ring is looked into every 50. */
#define SETTLE_NS 150000000ull

struct demo {
	struct pipeline pipeline;
	struct demux_config wanted;
	struct demo_cast cast;
	struct demo_words words;
	uint32_t netns; /* the server's */
	bool one_bucket;
	size_t begun; /* so many steps */
	size_t shown; /* of these, in this demo */
	uint64_t begun_ns; /* the last of them */
	uint64_t done_ns; /* all of its answers were there, 0: not yet */
	bool finished;
	bool failed; /* and said why */
};

/* --- the steps ----------------------------------------------------------- */

static int introduce(struct demo *demo)
{
	demo_say(&demo->words,
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

		demo_say(&demo->words, "  client %c  %s:%u%s",
			 demo_clients[i].name, demo_clients[i].addr,
			 demo_clients[i].port, remarks[i]);
	}
	if (demo->one_bucket)
		demo_say(&demo->words,
			 "\nA host keeps its connections in a hash table of "
			 "many thousand slots. The server's\n"
			 "has one: all stand in one chain, and the kernel "
			 "compares the two endpoints with\n"
			 "one after the other (slot 0/1 pos 2/3: behind two of "
			 "three).");
	demo_say(&demo->words,
		 "\nEach line below is a TCP segment that reached the server, "
		 "with the socket (#N)\n"
		 "that the kernel matched it to; or a socket's listen, accept "
		 "or close.");
	return 0;
}

/* The server's sockets by /proc, with their numbers in the trace. */
static int read_tables(struct demo *demo, struct demo_row *rows)
{
	pid_t pid = demo->cast.actors[DEMO_THE_SERVER].pid;
	int count = demo_tables_read(rows, pid);

	if (count < 0) {
		log_error("the demo failed: cannot read the server's sockets "
			  "from /proc/%d: %s",
			  (int)pid, strerror(-count));
		return count;
	}
	if (!demo_tables_compare(rows, count, &demo->pipeline.model,
				 demo->netns)) {
		log_error("the demo failed: /proc tells of another inode or "
			  "descriptor than the trace");
		return -EBADMSG;
	}
	return count;
}

static int show_tables(struct demo *demo)
{
	struct demo_row rows[DEMO_ROWS_MAX];
	int count = read_tables(demo, rows), here = 0;

	if (count < 0)
		return count;
	demo_tables_show(&demo->words, rows, count,
			 demo->cast.actors[DEMO_THE_SERVER].pid);
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

static int show_chain(struct demo *demo)
{
	struct demo_row rows[DEMO_ROWS_MAX];
	int count = read_tables(demo, rows);

	if (count < 0)
		return count;
	return demo_chain_show(&demo->words, rows, count) ? 0 : -EBADMSG;
}

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

static const struct step {
	const char *words;
	int (*show)(struct demo *demo); /* instead of an order */
	bool of_one_bucket; /* left out in the other demo */
	enum demo_role role;
	enum demo_order_kind order;
	uint32_t arg;
	unsigned int answers[DEMO_ROLES]; /* that end the step */
} steps[] = {
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
	{ .words = "All three say hello to one port; each gets its own hello "
		   "back.",
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

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static bool is_done(const struct demo *demo)
{
	if (!demo->begun)
		return true;
	for (int role = 0; role < DEMO_ROLES; role++)
		if (demo->cast.actors[role].answers <
		    steps[demo->begun - 1].answers[role])
			return false;
	/* A segment that has to be sent again comes late, but in its step. */
	return demo_tables_at_rest(demo->cast.actors[DEMO_THE_SERVER].pid);
}

static int begin_step(struct demo *demo)
{
	const struct step *step = &steps[demo->begun++];

	demo->begun_ns = clock_mono_ns();
	demo->done_ns = 0;
	if (step->of_one_bucket && !demo->one_bucket)
		return 0;
	if (step->words)
		demo_say(&demo->words, "\n%zu. %s", ++demo->shown, step->words);
	if (!step->show)
		return demo_cast_order(&demo->cast, step->role, step->order,
				       step->arg);
	if (step->show(demo))
		demo->failed = true;
	return 0;
}

/* One round; non-zero ends the trace. */
static int tick(void *context)
{
	struct demo *demo = context;
	uint64_t now_ns = clock_mono_ns();
	int err = demo_cast_hear(&demo->cast);

	if (!err && !demo->done_ns && !is_done(demo)) {
		if (now_ns - demo->begun_ns < DEMO_PATIENCE_S * 1000000000ull)
			return 0;
		log_error("the demo failed: step %zu was not done after %d s",
			  demo->shown, DEMO_PATIENCE_S);
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

static enum exit_code conclude(struct demo *demo)
{
	if (demo->failed)
		return EXIT_FAILED;
	if (!demo->finished) {
		demo_say(&demo->words,
			 "\nThe demo was ended before its last step.");
		return EXIT_DONE;
	}
	if (!demo_verdict(&demo->words, &demo->pipeline.summary))
		return EXIT_FAILED;
	if (demo->one_bucket)
		demo_say(&demo->words,
			 "All stood in one chain, so it was not the hash that "
			 "told them apart.");
	return EXIT_DONE;
}

/* --- before and around --------------------------------------------------- */

static void want_port(struct demux_config *wanted, uint16_t port)
{
	wanted->any_port = 0;
	wanted->ports[port >> 3] |= 1 << (port & 7);
}

static struct source *open_source(struct demo *demo,
				  const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &demo->wanted,
		.ring_size = options->ring_size,
		.without = options->without,
	};

	demo->wanted = options->wanted;
	demo->wanted.netns = demo->netns;
	want_port(&demo->wanted, DEMO_PORT);
	want_port(&demo->wanted, DEMO_CLOSED_PORT);
	return source_live(options->backend, &wish);
}

/* The server makes the wire, and then the clients find their end of it. */
static int join(struct demo_cast *cast)
{
	int err = demo_cast_order(cast, DEMO_THE_SERVER, DEMO_JOIN,
				  cast->actors[DEMO_THE_CLIENTS].pid);

	err = err ?: demo_cast_await(cast, DEMO_THE_SERVER);
	err = err ?: demo_cast_order(cast, DEMO_THE_CLIENTS, DEMO_JOIN, 0);
	return err ?: demo_cast_await(cast, DEMO_THE_CLIENTS);
}

static enum exit_code perform(struct demo *demo, const struct options *options)
{
	struct pipeline *pipeline = &demo->pipeline;
	int err;

	log_line("tracing with backend %s; Ctrl-C ends it",
		 pipeline->source->head.backend);
	pipeline->count_max = options->count;
	pipeline->duration_ns = options->duration_ns;
	pipeline->tick = tick;
	pipeline->tick_context = demo;
	err = pipeline_run(pipeline);
	return err && err != -EPIPE ? EXIT_FAILED : conclude(demo);
}

/* A sink more, which shows nothing. */
static int watch_chain(struct pipeline *pipeline)
{
	if (pipeline->sink_count == PIPELINE_SINKS_MAX)
		return 0;
	return sink_open(&pipeline->sinks[pipeline->sink_count++],
			 &demo_chain_watcher, "/dev/null");
}

static enum exit_code say_no_demo(const struct demo *demo, int err)
{
	log_error("no demo: %s; it needs root, and a kernel with network "
		  "namespaces and veth (try: modprobe veth)",
		  demo->cast.problem);
	/* Only the sysctl for one bucket can be missing. */
	return err == -ENOENT ? EXIT_CANNOT_TRACE : EXIT_FAILED;
}

int demo(const struct options *options)
{
	static struct demo demo;
	enum exit_code code = EXIT_FAILED;
	int err;

	demo_words_open(&demo.words, options, demo.pipeline.sinks);
	/* The filter needs the number of a namespace, so the cast comes before
	 * the trace; but where there can be no trace, that is what is said. */
	demo.one_bucket = demo.cast.one_bucket = options->one_bucket;
	err = demo_cast_start(&demo.cast);
	demo.netns = demo_cast_netns(&demo.cast, DEMO_THE_SERVER);
	demo.pipeline.source = open_source(&demo, options);
	if (!demo.pipeline.source) {
		code = EXIT_CANNOT_TRACE;
		goto out;
	}
	if (outputs_open(&demo.pipeline, options) ||
	    (demo.one_bucket && watch_chain(&demo.pipeline)))
		goto out;
	/* No sandbox: its director goes on giving orders through sockets, looks
	 * into /proc, and ends the actors, who are root as well. */
	err = err ?: join(&demo.cast);
	if (err) {
		code = say_no_demo(&demo, err);
		goto out;
	}
	code = perform(&demo, options);
out:
	demo_cast_end(&demo.cast);
	demo_words_close(&demo.words);
	err = pipeline_close(&demo.pipeline);
	if (err && err != -EPIPE)
		code = code ?: EXIT_FAILED;
	return code;
}
