// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_stage.c - a demo from its first step to its last, and what is before and
 * around: its processes, the trace of them, the outputs.
 */
#include "demo_stage.h"

#include <errno.h>

#include "backend.h"
#include "clock.h"
#include "demo_chain.h"
#include "demo_tables.h"
#include "log.h"
#include "options.h"
#include "outputs.h"

/* From the last answer of a step to the next step: an acknowledgement may wait
 * 40 ms for company, and the ring is looked into every 50. */
#define SETTLE_NS 150000000ull

/* --- the steps ----------------------------------------------------------- */

static bool is_done(const struct demo_stage *stage)
{
	const struct demo_actor *actors = stage->cast.actors;

	if (!stage->begun)
		return true;
	for (int role = 0; role < DEMO_ROLES; role++)
		if (actors[role].answers <
		    stage->play->steps[stage->begun - 1].answers[role])
			return false;
	/* A segment that has to be sent again comes late, but in its step. */
	return demo_tables_at_rest(actors[DEMO_THE_SERVER].pid);
}

static int begin_step(struct demo_stage *stage)
{
	const struct demo_step *step = &stage->play->steps[stage->begun++];

	stage->begun_ns = clock_mono_ns();
	stage->done_ns = 0;
	if (step->of_one_bucket && !stage->cast.one_bucket)
		return 0;
	if (step->words)
		demo_say(&stage->words, "\n%zu. %s", ++stage->shown,
			 step->words);
	if (!step->show)
		return demo_cast_order(&stage->cast, step->role, step->order,
				       step->arg);
	if (step->show(stage))
		stage->failed = true;
	return 0;
}

/* One round; non-zero ends the trace. */
static int tick(void *context)
{
	struct demo_stage *stage = context;
	uint64_t now_ns = clock_mono_ns();
	int err = demo_cast_hear(&stage->cast);

	if (!err && !stage->done_ns && !is_done(stage)) {
		if (now_ns - stage->begun_ns < DEMO_PATIENCE_S * 1000000000ull)
			return 0;
		log_error("the demo failed: step %zu was not done after %d s",
			  stage->shown, DEMO_PATIENCE_S);
		stage->failed = true;
		return 1;
	}
	if (!stage->done_ns)
		stage->done_ns = now_ns;
	if (!err && stage->begun && now_ns - stage->done_ns < SETTLE_NS)
		return 0;
	stage->finished = !err && stage->begun == stage->play->count;
	if (stage->finished)
		return 1;
	err = err ?: begin_step(stage);
	if (err) {
		log_error("the demo failed: %s", stage->cast.problem);
		stage->failed = true;
	}
	return stage->failed;
}

/* --- what came of it ----------------------------------------------------- */

/* The row of that number, or one of nothing. */
static const struct port *find_port(const struct demo_stage *stage,
				    uint16_t number)
{
	const struct summary *summary = &stage->pipeline.summary;
	bool is_udp = stage->play->is_udp;
	struct port *const *ports = is_udp ? summary->udp_ports :
					     summary->ports;
	size_t count = is_udp ? summary->udp_port_count : summary->port_count;
	static const struct port none;

	for (size_t i = 0; i < count; i++)
		if (ports[i]->port == number)
			return ports[i];
	return &none;
}

static const char *find_doubt(const struct demo_stage *stage)
{
	const struct summary *summary = &stage->pipeline.summary;
	const struct port *closed = find_port(stage, DEMO_CLOSED_PORT);
	const char *doubt =
		stage->play->find_doubt(summary, find_port(stage, DEMO_PORT));

	if (doubt)
		return doubt;
	if (!closed->segments || closed->matched)
		return "the knock on the closed port is not in the trace, or "
		       "was matched";
	if (!summary->is_proved)
		return "the proof was refused, for the reasons in the summary";
	return NULL;
}

static enum exit_code conclude(struct demo_stage *stage)
{
	const char *doubt;

	if (stage->failed)
		return EXIT_FAILED;
	if (!stage->finished) {
		demo_say(&stage->words,
			 "\nThe demo was ended before its last step.");
		return EXIT_DONE;
	}
	doubt = find_doubt(stage);
	if (doubt) {
		log_error("the demo did not show what it should: %s", doubt);
		return EXIT_FAILED;
	}
	stage->play->conclude(stage, find_port(stage, DEMO_PORT));
	return EXIT_DONE;
}

/* --- before and around --------------------------------------------------- */

static void want_port(struct demux_config *wanted, uint16_t port)
{
	wanted->any_port = 0;
	wanted->ports[port >> 3] |= 1 << (port & 7);
}

static struct source *open_source(struct demo_stage *stage,
				  const struct options *options)
{
	struct backend_wish wish = {
		.wanted = &stage->wanted,
		.ring_size = options->ring_size,
		.without = options->without,
	};

	stage->wanted = options->wanted;
	stage->wanted.netns = stage->netns;
	want_port(&stage->wanted, DEMO_PORT);
	want_port(&stage->wanted, DEMO_CLOSED_PORT);
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

/* A sink more, which shows nothing. */
static int watch_chain(struct pipeline *pipeline)
{
	if (pipeline->sink_count == PIPELINE_SINKS_MAX)
		return 0;
	return sink_open(&pipeline->sinks[pipeline->sink_count++],
			 &demo_chain_watcher, "/dev/null");
}

static enum exit_code perform(struct demo_stage *stage,
			      const struct options *options)
{
	struct pipeline *pipeline = &stage->pipeline;
	int err;

	log_line("tracing with backend %s; Ctrl-C ends it",
		 pipeline->source->head.backend);
	pipeline->count_max = options->count;
	pipeline->duration_ns = options->duration_ns;
	pipeline->tick = tick;
	pipeline->tick_context = stage;
	err = pipeline_run(pipeline);
	return err && err != -EPIPE ? EXIT_FAILED : conclude(stage);
}

static enum exit_code say_no_demo(const struct demo_stage *stage, int err)
{
	log_error("no demo: %s; it needs root, and a kernel with network "
		  "namespaces and veth (try: modprobe veth)",
		  stage->cast.problem);
	/* Only the sysctl for one bucket can be missing. */
	return err == -ENOENT ? EXIT_CANNOT_TRACE : EXIT_FAILED;
}

int demo_stage_run(const struct demo_play *play, const struct options *options)
{
	static struct demo_stage stage;
	enum exit_code code = EXIT_FAILED;
	int err;

	stage.play = play;
	demo_words_open(&stage.words, options, stage.pipeline.sinks);
	/* The filter needs the number of a namespace, so the cast comes before
	 * the trace; but where there can be no trace, that is what is said. */
	stage.cast.one_bucket = options->one_bucket;
	err = demo_cast_start(&stage.cast);
	stage.netns = demo_cast_netns(&stage.cast, DEMO_THE_SERVER);
	stage.pipeline.source = open_source(&stage, options);
	if (!stage.pipeline.source) {
		code = EXIT_CANNOT_TRACE;
		goto out;
	}
	err = err ?: join(&stage.cast);
	if (err) {
		code = say_no_demo(&stage, err);
		goto out;
	}
	if (outputs_open(&stage.pipeline, options) ||
	    (options->one_bucket && watch_chain(&stage.pipeline)))
		goto out;
	/* No sandbox: its director goes on giving orders through sockets, looks
	 * into /proc, and ends the actors, who are root as well. */
	code = perform(&stage, options);
out:
	demo_cast_end(&stage.cast);
	demo_words_close(&stage.words);
	err = pipeline_close(&stage.pipeline);
	if (err && err != -EPIPE)
		code = code ?: EXIT_FAILED;
	return code;
}
