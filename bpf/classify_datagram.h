/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * classify_datagram.h - from what a datagram met on its way to its outcome, how
 * its socket was found, and what points that had. Pure: the unit tests compile
 * it for the host.
 */
#ifndef DEMUX_CLASSIFY_DATAGRAM_H
#define DEMUX_CLASSIFY_DATAGRAM_H

#include "classify.h"

/* What the hooks saw between entry and exit of udp_rcv or udpv6_rcv. */
enum datagram_met {
	DATAGRAM_SOCKET = 1 << 0, /* one that it was given to */
	DATAGRAM_DENIED = 1 << 1, /* the socket filter or the LSM said no */
	DATAGRAM_NOBODY = 1 << 2, /* answered, or dropped, as nobody's */
	DATAGRAM_DROP = 1 << 3, /* dropped for another reason */
	DATAGRAM_TOO_SHORT = 1 << 4, /* cut, or claims too much */
	DATAGRAM_BAD_CSUM = 1 << 5,
	DATAGRAM_FILTERED = 1 << 6, /* the filter was asked */
};

/*
 * Returns the outcome, 0 where no hook saw one. @is_group: it was sent to many,
 * and is dropped without a word where none of them is here.
 */
static inline enum demux_datagram_outcome
classify_datagram(__u32 met, int is_group, const struct demux_sock *sock)
{
	if (met & DATAGRAM_BAD_CSUM ||
	    (met & DATAGRAM_TOO_SHORT &&
	     !(met & (DATAGRAM_SOCKET | DATAGRAM_NOBODY))))
		return DEMUX_BAD_DATAGRAM;
	if (met & DATAGRAM_DENIED)
		return DEMUX_DENIED;
	if (met & DATAGRAM_SOCKET) {
		if (is_group)
			return DEMUX_MULTICAST;
		return is_connected(sock) ? DEMUX_CONNECTED : DEMUX_UNCONNECTED;
	}
	if (met & DATAGRAM_NOBODY)
		return DEMUX_NOBODY;
	if (met & DATAGRAM_DROP)
		return is_group ? DEMUX_NOBODY : DEMUX_DENIED;
	return 0;
}

/*
 * @carried is what came with the skb into udp_rcv. Early demux brings a socket
 * connected to the sender, or the only one that a multicast address has; all
 * else was assigned by a rule or a program.
 */
static inline enum demux_via
classify_datagram_via(enum demux_datagram_outcome outcome,
		      enum demux_carried carried)
{
	if (!outcome || outcome == DEMUX_BAD_DATAGRAM ||
	    carried == CARRIED_UNKNOWN)
		return 0;
	if (carried == CARRIED_NONE || outcome == DEMUX_NOBODY)
		return DEMUX_LOOKUP;
	return carried == CARRIED_MATCH ? DEMUX_EARLY_DEMUX : DEMUX_ASSIGNED;
}

/* A connected socket has its peer's datagrams only. */
static inline int is_its_peer(const struct demux_ends *to,
			      const struct demux_sock *sock)
{
	const struct demux_ends *at = &sock->ends;

	if (!is_connected(sock))
		return 1;
	return (!at->rport || at->rport == to->rport) &&
	       (is_any(at->raddr) ||
		same_addr(to->raddr, to->family, at->raddr, at->family));
}

/* Does the lookup of what has this family ask for the socket's remote address? One
 * of IPv6 that is connected no more has kept it, but not for IPv4. */
static inline int has_peer_addr(__u8 family, const struct demux_sock *sock)
{
	return !is_any(sock->ends.raddr) &&
	       (is_connected(sock) || sock->ends.family == family);
}

/* The points of an IPv4 and an IPv6 datagram's receiver: net/ipv4/udp.c and
 * net/ipv6/udp.c, compute_score(), alike from 5.10 to 7.2. */
static inline __u8 datagram_score(__u8 family, __u8 sock_family, __u8 parts)
{
	int part = family == 4 ? 4 : 1, score = 0;

	if (parts & DEMUX_SCORE_BASE)
		score = sock_family == 4 ? 2 : 1;
	if (parts & DEMUX_SCORE_RADDR)
		score += part;
	if (parts & DEMUX_SCORE_RPORT)
		score += part;
	if (parts & DEMUX_SCORE_DEVICE)
		score += part;
	if (parts & DEMUX_SCORE_CPU)
		score++;
	return score;
}

/* What a socket has to have its points for; @on_cpu: it prefers this CPU. */
static inline __u8
datagram_score_parts(__u8 family, const struct demux_sock *sock, int on_cpu)
{
	const struct demux_ends *ends = &sock->ends;
	__u8 parts = 0;

	if (family == 4)
		parts |= DEMUX_SCORE_BASE;
	if (ends->rport)
		parts |= DEMUX_SCORE_RPORT;
	if (has_peer_addr(family, sock))
		parts |= DEMUX_SCORE_RADDR;
	if (sock->ifindex)
		parts |= DEMUX_SCORE_DEVICE;
	if (on_cpu)
		parts |= DEMUX_SCORE_CPU;
	return parts;
}

/* May the program of its socket's SO_REUSEPORT group have chosen that? It may choose
 * any member, and with old kernels one that is connected is still one. */
static inline int may_be_by_program(const struct demux_datagram *datagram)
{
	return datagram->have & DEMUX_HAVE_GROUP &&
	       datagram->group_by == DEMUX_GROUP_BY_BPF;
}

/*
 * Did the SO_REUSEPORT group of its socket choose that? Only the lookup for one
 * receiver asks a group, and it gives a socket that takes any remote end. One that
 * has taken the option back may have been found without its group.
 */
static inline int is_by_group(const struct demux_datagram *datagram)
{
	if (!(datagram->have & DEMUX_HAVE_GROUP) ||
	    !(datagram->sock.flags & DEMUX_SOCK_REUSEPORT) ||
	    is_connected(&datagram->sock))
		return 0;
	if (datagram->notes & (DEMUX_NOTE_GROUP | DEMUX_NOTE_SK_LOOKUP))
		return 0;
	return !(datagram->have & DEMUX_HAVE_VIA) ||
	       datagram->via == DEMUX_LOOKUP;
}

#endif
