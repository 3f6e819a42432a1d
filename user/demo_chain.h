/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_chain.h - demo --one-bucket: where in the one chain of the server's hash
 * table the segments found their sockets.
 */
#ifndef DEMO_CHAIN_H
#define DEMO_CHAIN_H

#include "demo_tables.h"
#include "sink.h"

/* Remembers it: a sink that writes nothing. */
extern const struct sink_type demo_chain_watcher;

/* Shows the connections among @rows in the order in which /proc goes along the
 * chain, and where their segments found them. False, after a message, where the
 * two do not agree; a place that the trace cannot know is shown as ?. */
bool demo_chain_show(struct demo_words *words, const struct demo_row *rows,
		     int count);

#endif
