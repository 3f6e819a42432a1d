/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_stage.h - what both demos stand on: a play is a list of steps, driven
 * from the pipeline's rounds, so that each step's lines follow its words.
 */
#ifndef DEMO_STAGE_H
#define DEMO_STAGE_H

#include "demo_cast.h"
#include "demo_words.h"
#include "pipeline.h"

struct demo_stage {
	const struct demo_play *play;
	struct pipeline pipeline;
	struct demux_config wanted;
	struct demo_cast cast;
	struct demo_words words;
	uint32_t netns; /* the server's */
	size_t begun; /* so many steps */
	size_t shown; /* of these, with words */
	uint64_t begun_ns; /* the last of them */
	uint64_t done_ns; /* all of its answers were there, 0: not yet */
	bool finished;
	bool failed; /* and said why */
};

struct demo_step {
	const char *words; /* NULL: it has no number either */
	/* Instead of an order. 0, or -errno after a message. */
	int (*show)(struct demo_stage *stage);
	bool of_one_bucket; /* left out without --one-bucket */
	enum demo_role role;
	enum demo_order_kind order;
	uint32_t arg;
	unsigned int answers[DEMO_ROLES]; /* that end the step */
};

struct demo_play {
	const struct demo_step *steps;
	size_t count;
	bool is_udp;
	/* What the summary says that it should not, of DEMO_PORT's row or
	 * else, or NULL. The knock and the proof are looked at behind it. */
	const char *(*find_doubt)(const struct summary *summary,
				  const struct port *open);
	void (*conclude)(struct demo_stage *stage, const struct port *open);
};

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

/* Returns an exit code of options.h, after messages where it is not 0. */
int demo_stage_run(const struct demo_play *play, const struct options *options);

#endif
