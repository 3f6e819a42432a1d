/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * classify.h - from what a segment met on its way to its outcome, and how its
 * socket was found. Pure: the unit tests compile it for the host.
 */
#ifndef DEMUX_CLASSIFY_H
#define DEMUX_CLASSIFY_H

#include "filter.h"
#include "tcp_states.h"

/* What the hooks saw between entry and exit of tcp_v4_rcv or tcp_v6_rcv. */
enum demux_met {
	MET_FULL = 1 << 0, /* a full socket that does not listen */
	MET_LISTENER = 1 << 1,
	MET_REQUEST = 1 << 2,
	MET_TIME_WAIT = 1 << 3,
	MET_NOBODY = 1 << 4, /* nobody's: answered, or dropped as such */
	MET_FILTER_DENIED = 1 << 5, /* the socket filter or the LSM said no */
	MET_DROP = 1 << 6, /* dropped before any of the above */
	MET_TOO_SHORT = 1 << 7, /* the TCP header is cut or claims too much */
	MET_BAD_CSUM = 1 << 8,

	/* What became of it there. */
	MET_BACKLOG = 1 << 9,
	MET_BACKLOG_FULL = 1 << 10,
	MET_REQUEST_MADE = 1 << 11,
	MET_COOKIE_SENT = 1 << 12,
	MET_CHILD = 1 << 13,
	MET_REQUEST_DONE = 1 << 14, /* tcp_check_req left it as it is */
	MET_SYN_REPEATED = 1 << 15,
	MET_BAD_ACK = 1 << 16,
	MET_REQUEST_ENDED = 1 << 17,
	MET_STOLEN = 1 << 18, /* another CPU had made the child */
	MET_LISTENER_CLOSED = 1 << 19, /* of its request */
	MET_SWALLOWED = 1 << 20,
	MET_ACKED = 1 << 21,
	MET_HIDDEN = 1 << 22, /* its request, if any, would not have shown */

	MET_SOCKET = MET_FULL | MET_LISTENER | MET_REQUEST | MET_TIME_WAIT,
};

/*
 * Returns the outcome, 0 where no hook saw one. The order matters: a request
 * is asked for after its listener's filter ran, a SYN that reopens a TIME_WAIT
 * socket meets a listener next, and a stolen request a full socket.
 */
static inline enum demux_outcome classify_outcome(__u32 met)
{
	if (met & MET_FULL)
		return met & MET_FILTER_DENIED ? DEMUX_REFUSED :
						 DEMUX_ESTABLISHED;
	if (met & MET_TIME_WAIT)
		return DEMUX_TIME_WAIT;
	if (met & MET_NOBODY)
		return DEMUX_NONE;
	if (met & MET_FILTER_DENIED)
		return DEMUX_REFUSED;
	if (met & MET_REQUEST)
		return DEMUX_REQUEST;
	if (met & MET_LISTENER)
		return DEMUX_LISTENER;
	if (met & (MET_TOO_SHORT | MET_BAD_CSUM))
		return DEMUX_MALFORMED;
	return met & MET_DROP ? DEMUX_REFUSED : 0;
}

/* What no hook here would see, so that not to have seen it says nothing. */
enum demux_blind {
	BLIND_BACKLOG = 1 << 0,
	BLIND_SYN = 1 << 1, /* what a listener did with a SYN */
	BLIND_RESET = 1 << 2,
};

#define TCP_FLAG_FIN 0x001
#define TCP_FLAG_SYN 0x002
#define TCP_FLAG_RST 0x004
#define TCP_FLAG_ACK 0x010

/* A lookup that was not the last one: the outcome is that of the last. */
static inline enum demux_detail classify_earlier(__u32 met)
{
	if (met & MET_STOLEN)
		return DEMUX_STOLEN;
	return met & MET_LISTENER_CLOSED ? DEMUX_LISTENER_CLOSED : 0;
}

static inline enum demux_detail
classify_at_listener(const struct demux_segment *seg, __u32 met, __u32 blind)
{
	__u32 kind = seg->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST |
				   TCP_FLAG_FIN);

	if (met & MET_CHILD)
		return kind == TCP_FLAG_SYN || met & MET_HIDDEN ?
			       DEMUX_CHILD :
			       DEMUX_COOKIE_ACCEPTED;
	if (seg->notes & DEMUX_NOTE_RESET)
		return DEMUX_RESET;
	if (met & MET_REQUEST_MADE)
		return DEMUX_REQUEST_MADE;
	if (met & MET_COOKIE_SENT)
		return DEMUX_COOKIE_SENT;
	if (kind == TCP_FLAG_SYN)
		return blind & BLIND_SYN ? 0 : DEMUX_SYN_DROPPED;
	/* Maybe a request's. */
	return blind & BLIND_RESET || seg->predicted ? 0 : DEMUX_IGNORED;
}

static inline enum demux_detail classify_at_request(__u32 met, __u32 reset)
{
	if (met & MET_CHILD)
		return DEMUX_CHILD;
	if (met & MET_BAD_ACK)
		return DEMUX_BAD_ACK;
	if (reset)
		return DEMUX_RESET;
	if (met & MET_REQUEST_ENDED)
		return DEMUX_ENDED;
	if (met & MET_SYN_REPEATED)
		return DEMUX_SYN_REPEATED;
	return met & MET_REQUEST_DONE ? DEMUX_KEPT : 0;
}

static inline enum demux_detail classify_at_full(__u32 met, __u32 blind)
{
	if (met & MET_BACKLOG_FULL)
		return DEMUX_BACKLOG_FULL;
	if (met & MET_BACKLOG)
		return DEMUX_BACKLOG;
	return blind & BLIND_BACKLOG ? 0 : DEMUX_TAKEN_UP;
}

static inline enum demux_detail classify_at_time_wait(__u32 met, __u32 reset)
{
	if (met & MET_LISTENER)
		return DEMUX_REOPENED;
	if (reset)
		return DEMUX_RESET;
	if (met & MET_ACKED)
		return DEMUX_ACKED;
	return met & MET_SWALLOWED ? DEMUX_SWALLOWED : 0;
}

/*
 * What became of the segment, whose outcome is known, at its socket. Returns 0
 * where no hook tells; why a refused one was refused, its drop reason may tell.
 */
static inline enum demux_detail classify_detail(const struct demux_segment *seg,
						__u32 met, __u32 blind)
{
	__u32 reset = seg->notes & DEMUX_NOTE_RESET;

	if (seg->outcome == DEMUX_MALFORMED)
		return met & MET_TOO_SHORT ? DEMUX_BAD_HEADER :
					     DEMUX_BAD_CHECKSUM;
	if (seg->outcome == DEMUX_REFUSED)
		return met & MET_FILTER_DENIED ? DEMUX_BY_FILTER : 0;
	if (met & MET_BAD_CSUM)
		return DEMUX_BAD_CHECKSUM;
	if (met & (MET_STOLEN | MET_LISTENER_CLOSED))
		return classify_earlier(met);

	switch (seg->outcome) {
	case DEMUX_ESTABLISHED:
		return classify_at_full(met, blind);
	case DEMUX_LISTENER:
		return classify_at_listener(seg, met, blind);
	case DEMUX_REQUEST:
		return classify_at_request(met, reset);
	case DEMUX_TIME_WAIT:
		return classify_at_time_wait(met, reset);
	case DEMUX_NONE:
		if (reset)
			return DEMUX_RESET;
		/* To a reset there is never an answer. */
		return blind & BLIND_RESET && !(seg->flags & TCP_FLAG_RST) ?
			       0 :
			       DEMUX_SILENT;
	default:
		return 0;
	}
}

/* The socket that came with the skb into tcp_v4_rcv. */
enum demux_carried {
	CARRIED_NONE,
	CARRIED_MATCH, /* early demux's: of this very 4-tuple, and it does not
			  listen, or it has closed and given its own ends back,
			  or NAT gave the segment other ends since */
	CARRIED_OTHER,
	CARRIED_UNKNOWN, /* the backend does not see it */
};

/*
 * Early demux looks in the established hash only: what it brings has the
 * segment's 4-tuple and does not listen. All else was assigned by a rule or a
 * program. Returns 0 for a segment that was not looked up, as malformed ones
 * are not, or too late to matter.
 */
static inline enum demux_via classify_via(enum demux_outcome outcome,
					  enum demux_carried carried)
{
	if (!outcome || outcome == DEMUX_MALFORMED ||
	    carried == CARRIED_UNKNOWN)
		return 0;
	/* What is nobody's was looked up last, whatever it carried. */
	if (carried == CARRIED_NONE || outcome == DEMUX_NONE)
		return DEMUX_LOOKUP;
	return carried == CARRIED_MATCH ? DEMUX_EARLY_DEMUX : DEMUX_ASSIGNED;
}

static inline int same_bytes(const __u8 *a, const __u8 *b, int n)
{
#ifdef __bpf__ /* has no memcmp */
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
#else
	return !__builtin_memcmp(a, b, n);
#endif
}

/* Is @sock, an address of a socket of @family, the address @seg of a segment?
 * An IPv4 segment may belong to an IPv6 socket, as ::ffff:a.b.c.d. */
static inline int same_addr(const __u8 *seg, __u8 seg_family, const __u8 *sock,
			    __u8 sock_family)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (seg_family == sock_family)
		return seg_family == 4 ? same_bytes(seg, sock, 4) :
					 same_bytes(seg, sock, 16);
	return seg_family == 4 && same_bytes(sock, mapped, 12) &&
	       same_bytes(seg, sock + 12, 4);
}

/* Has the socket exactly the segment's two ends? */
static inline int same_ends(const struct demux_ends *seg,
			    const struct demux_ends *sock)
{
	return seg->lport == sock->lport && seg->rport == sock->rport &&
	       same_addr(seg->laddr, seg->family, sock->laddr, sock->family) &&
	       same_addr(seg->raddr, seg->family, sock->raddr, sock->family);
}

/* Can the lookup tables give @sock, a listener or a UDP socket, for what has
 * these ends: has it the port, and the address or any? */
static inline int listens_for(const struct demux_ends *seg,
			      const struct demux_sock *sock)
{
	const struct demux_ends *at = &sock->ends;

	if (at->lport != seg->lport)
		return 0;
	if (seg->family == 4 && sock->flags & DEMUX_SOCK_V6ONLY)
		return 0;
	if (seg->family == 6 && at->family == 4)
		return 0;
	if (is_any(at->laddr) || (seg->family == 4 && is_mapped(at->laddr) &&
				  is_any4(at->laddr + 12)))
		return 1;
	return same_addr(seg->laddr, seg->family, at->laddr, at->family);
}

/* Is it closed, or about to be? The kernel takes its port away a moment before it
 * says CLOSE, which a UDP socket always is that is not connected. */
static inline int is_closing(const struct demux_sock *sock)
{
	return !sock->ends.lport ||
	       (sock->state == TCP_CLOSE && !(sock->flags & DEMUX_SOCK_UDP));
}

/* A socket that closes gives its port back, one that disconnects its peer. Is
 * @sock closing, and can it be what had the segment's two ends? */
static inline int may_be_released(const struct demux_ends *seg,
				  const struct demux_sock *sock)
{
	const struct demux_ends *at = &sock->ends;

	return is_closing(sock) && (!at->lport || at->lport == seg->lport) &&
	       (!at->rport || at->rport == seg->rport) &&
	       (is_any(at->laddr) ||
		same_addr(seg->laddr, seg->family, at->laddr, at->family)) &&
	       (is_any(at->raddr) ||
		same_addr(seg->raddr, seg->family, at->raddr, at->family));
}

#endif
