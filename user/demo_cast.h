/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo_cast.h - the demo's processes: started, told what to do, listened to,
 * and gone with this one, however it ends.
 */
#ifndef DEMO_CAST_H
#define DEMO_CAST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "demo_acts.h"

/* A virtual machine without KVM may be slow. */
#define DEMO_PATIENCE_S 20

enum demo_role {
	DEMO_THE_SERVER,
	DEMO_THE_CLIENTS,
	DEMO_ROLES
};

struct demo_cast {
	struct demo_actor {
		pid_t pid; /* 0: none */
		int control;
		unsigned int answers; /* since the last order to anyone */
		bool gone;
	} actors[DEMO_ROLES];
	bool one_bucket; /* for the server's connections; set before the start */
	char problem[200]; /* what failed, and why */
};

/* Starts both, each in a network namespace of its own. 0, or -errno with the
 * problem noted; call demo_cast_end() in either case. */
int demo_cast_start(struct demo_cast *cast);

/* Answers are counted anew from here on. 0, or -errno with the problem
 * noted. */
int demo_cast_order(struct demo_cast *cast, enum demo_role role,
		    enum demo_order_kind kind, uint32_t arg);

/* Takes the answers that are there. 0, or -errno with the problem noted. */
int demo_cast_hear(struct demo_cast *cast);

/* Waits for one answer. 0, or -errno with the problem noted. */
int demo_cast_await(struct demo_cast *cast, enum demo_role role);

/* The inode number of the network namespace, 0 where it is unknown. */
uint32_t demo_cast_netns(const struct demo_cast *cast, enum demo_role role);

/* Kills and reaps both; their namespaces, and the wire between, go with
 * them. */
void demo_cast_end(struct demo_cast *cast);

#endif
