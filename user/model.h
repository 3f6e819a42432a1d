/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - the sockets of this trace: which number each has, which listener it
 * was born from, who owns it; and what happened on each local port. Third
 * stage.
 *
 * A socket's identity is its (scrambled) kernel address and its time: memory
 * is used again, so after a close, or under other endpoints, the same address
 * is another socket and gets another number.
 */
#ifndef MODEL_H
#define MODEL_H

#include "conns.h"
#include "decode.h"
#include "htab.h"
#include "ports.h"

/* A process that has a socket open, once for each descriptor. */
struct model_holder {
	struct model_holder *next;
	uint32_t pid;
	uint32_t uid;
	bool has_fd;
	int32_t fd;
	char comm[16];
};

struct model_sock {
	struct htab_node by_id;
	struct htab_node by_ends; /* while it is in the kernel's lookup tables */
	struct model_sock *next_dead;
	uint64_t number; /* from 1, in the order in which they were met */
	uint64_t parent; /* the listener's number, 0 unknown */
	struct demux_sock last; /* as last seen */
	uint64_t segments; /* that matched it; of UDP, datagrams */
	uint64_t bytes; /* of payload in these, and in that it was born of */
	uint64_t born_ns; /* when it was first met */
	uint64_t seen_ns; /* monotonic, last */
	uint64_t closed_ns; /* 0: still in the hash tables */
	uint64_t destroyed_ns; /* 0: still there */
	uint64_t rebound_ns; /* when its device was last told to change; 0: never */
	uint32_t bound_to; /* its device, as its process last made it, 0: none */
	uint64_t connected_ns; /* UDP: when it was first seen connected to where
				  it is, after it had not been; 0: never */
	uint64_t found_ns; /* by a segment, last, on found_cpu; 0: never */
	uint32_t found_cpu;
	uint32_t made_cpu; /* if is_made */
	bool is_made; /* of a segment, and met first in that one's record */
	bool has_owner;
	bool has_fd;
	bool has_inode;
	bool has_cookie;
	bool at_end; /* was there when the trace had ended */
	bool replaced; /* another socket is at its address now */
	bool counted; /* among its port's sockets or listeners */
	uint32_t strays; /* born of it, that accept() took from another
			    listener, as if this one had gone */
	uint64_t strayed_ns; /* the earliest of these */
	uint32_t owners; /* processes that have it open, for all that is known */
	uint32_t holder; /* the last one that the snapshot told */
	uint32_t pid;
	uint32_t parent_pid; /* its listener's owner at birth, 0 unknown */
	int32_t fd;
	uint64_t inode;
	uint64_t cookie;
	char comm[16];
	struct model_holder *holders; /* where the model keeps all */
};

/* Since when has it been bound where it is? */
static inline uint64_t model_since(const struct model_sock *sock)
{
	return sock->rebound_ns > sock->born_ns ? sock->rebound_ns :
						  sock->born_ns;
}

#define MODEL_REASONS 256 /* kernels have half as many */

/* Has it left the lookup tables, for all that is known? */
static inline bool model_is_gone(const struct model_sock *sock)
{
	return sock->closed_ns || sock->destroyed_ns;
}

struct model {
	struct htab socks; /* by id */
	struct htab ends; /* by netns and 4-tuple: full sockets, and minisocks
			     that are known by nothing else */
	struct ports ports;
	struct conns conns;
	struct ports datagram_ports; /* the same numbers, and yet others */
	struct htab datagram_cpus; /* the last ones of each CPU */
	uint64_t datagrams; /* that came, asked for or not */
	struct model_sock *dead, **dead_tail; /* destroyed, oldest first */
	bool keeps_all; /* all holders, and sockets that are gone: set it after
			   model_init(), for a list of all */
	bool has_end; /* it was told what was there when the trace had ended */
	uint64_t dead_count;
	uint64_t forgotten; /* connections of these that were too many to keep */
	uint64_t numbers; /* given so far */
	uint64_t accepted;
	uint64_t swept_ns; /* when idle minisocks were last dropped */
	char *reasons[MODEL_REASONS]; /* names of drop reasons, by number */
};

void model_init(struct model *model);
void model_free(struct model *model);

/* Brings the model up to @event, and fills its sock, parent, child, repeated,
 * drop_reason, candidate and numbers. 0 or -ENOMEM. */
int model_apply(struct model *model, struct event *event);

/* The newest socket of that id, or NULL. */
struct model_sock *model_find(const struct model *model, uint64_t id);

/* Does the socket of that id, or its listener, belong to @pid? */
bool model_owns(const struct model *model, uint64_t id, uint32_t pid);

/* The full socket with these ends that is still in the hash table, for all that is
 * known, or NULL. */
struct model_sock *model_find_ends(const struct model *model,
				   const struct demux_ends *ends,
				   uint32_t netns);

/* The next one after @after, which that or this gave; of another device. */
struct model_sock *model_next_ends(const struct model_sock *after,
				   const struct demux_ends *ends);

/* Another full socket than @sock, which got the segment and has its two ends, that
 * the lookup would have given it as well, or NULL. */
struct model_sock *model_find_twin(const struct model *model,
				   const struct demux_segment *seg,
				   const struct demux_sock *sock);

/* A listener, or a UDP socket with no remote end, that is still there, for all
 * that is known, and could have taken what came in by @ifindex and @sdif; or
 * NULL. Of several the one that is surest to. */
struct model_sock *model_find_bound(const struct model *model,
				    const struct demux_arrival *got,
				    uint32_t ifindex, uint32_t sdif);

/* The same, but only one of the SO_REUSEPORT group of @sock, which is in one. */
struct model_sock *model_find_member(const struct model *model,
				     const struct demux_sock *sock,
				     const struct demux_arrival *got,
				     uint32_t ifindex, uint32_t sdif);

typedef void (*model_visit)(struct model_sock *sock, void *context);
/* Calls @visit for each socket, those that are gone too. */
void model_each(struct model *model, model_visit visit, void *context);

/* NULL: there is none, or it is forgotten. */
struct model_sock *model_find_number(struct model *model, uint64_t number);

#endif
