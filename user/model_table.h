/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model_table.h - what model.c asks of the tables of sockets. Third stage.
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include "model.h"
#include "tcp_states.h"

#define NS_PER_S 1000000000ull

/* A close on another CPU may be told this much after it took effect. */
#define BYPASS_NS (NS_PER_S / 10)

static inline bool model_table_is_mini(const struct demux_sock *sock)
{
	return sock->state == TCP_TIME_WAIT || sock->state == TCP_NEW_SYN_RECV;
}

static inline bool model_table_is_udp(const struct demux_sock *sock)
{
	return sock->flags & DEMUX_SOCK_UDP;
}

/* TCP and UDP have each their own port 53. */
static inline struct ports *model_table_ports(struct model *model,
					      const struct demux_sock *sock)
{
	return model_table_is_udp(sock) ? &model->datagram_ports :
					  &model->ports;
}

/* An IPv4 segment's ends and those of an IPv6 socket that has them as
 * ::ffff:a.b.c.d differ in their first 12 bytes, so these are left out. */
uint64_t model_table_hash_ends(const struct demux_ends *ends, uint32_t netns);

/* Finds, or makes, the socket that @from is a sight of. 0, or -ENOMEM, and then
 * *to may be NULL. */
int model_table_meet(struct model *model, const struct demux_sock *from,
		     uint64_t now_ns, struct model_sock **to);

/* The same, of one that was bound to another device just now, which is @from's. */
int model_table_meet_rebound(struct model *model, const struct demux_sock *from,
			     uint64_t now_ns, struct model_sock **to);

/* It is this process's, for all that is known. */
void model_table_own(struct model_sock *sock, uint32_t pid, const char *comm);

/* It is in the kernel's lookup tables no more. */
void model_table_drop_ends(struct model *model, struct model_sock *sock);

/* A SYN that a listener gets says that the minisock with its two ends, if one is
 * known, is gone: the lookup would have found that first. Not of a listener that a
 * rule or a program may have assigned it to. */
void model_table_pass_by(struct model *model, const struct demux_segment *seg);

/* Keeps a socket that is gone until no record can speak of it any more, and
 * frees those of which none can. */
void model_table_bury(struct model *model, struct model_sock *sock,
		      uint64_t now_ns);
void model_table_free_dead(struct model *model, uint64_t now_ns);
void model_table_free(struct model_sock *sock);

#endif
