/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * modelled.h - a model and a proof that are new for each test, and clients of
 * one server.
 */
#ifndef TESTS_MODELLED_H
#define TESTS_MODELLED_H

#include "test.h"

#include "proof.h"

static struct model model;
static struct proof proof;

static int begin(void **state)
{
	(void)state;
	model_init(&model);
	proof = (struct proof){ 0 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	model_free(&model);
	return 0;
}

static inline struct demux_ends client(uint16_t port)
{
	return make_ends("10.0.0.1", 80, "10.0.0.2", port);
}

#endif
