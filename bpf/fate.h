/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fate.h - what became of a segment at the socket that it met: each hook adds to
 * the flight what classify_detail() makes a name of.
 */
#ifndef DEMUX_FATE_H
#define DEMUX_FATE_H

#include "flight.h"

/* tcp_add_backlog(sk, skb): a process has the socket. A result of true, or a
 * drop reason since 7.2, says that the backlog is full. */
static __always_inline void fate_backlog(struct flight *flight, __u8 dropped)
{
	if (flight)
		flight->met |= dropped ? MET_BACKLOG_FULL : MET_BACKLOG;
}

/* What a listener did with a SYN. */
static __always_inline void fate_syn(__u32 met)
{
	struct flight *flight = flight_current(this_cell());

	if (flight)
		flight->met |= met;
}

/* tcp_make_synack(sk, dst, req, foc, type): the answer to a SYN. To make a cookie
 * is not enough: 7.2 does so before it asks the security modules. */
static __always_inline void fate_synack(__u32 type)
{
	if (type == TCP_SYNACK_COOKIE)
		fate_syn(MET_COOKIE_SENT);
}

/* Is it the SYN that made the request at @req, once more? With an ACK or a reset
 * beside it, it is not, but out of window. */
static __always_inline bool is_syn_again(const struct demux_segment *seg,
					 __u64 req)
{
	const __u32 kind = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;

	return (seg->flags & kind) == TCP_FLAG_SYN &&
	       seg->seq == read_request_isn(req);
}

/* Nothing was made of the request at @req, which is referenced still. If that is
 * gone, but by no reset, another CPU has made the child meanwhile: with an older
 * timestamp than its segment had, this one's was out of window. */
static __always_inline __u32 request_stays(struct flight *flight, __u64 req)
{
	struct demux_segment *seg = &flight->record.more.segment;
	__u8 stolen = 0;

	bpf_probe_read_kernel(&stolen, sizeof(stolen), (void *)flight->stolen);
	if (stolen)
		return MET_STOLEN;
	if (is_request_gone(req))
		return seg->flags & TCP_FLAG_RST ? MET_REQUEST_ENDED : 0;
	return MET_REQUEST_DONE |
	       (is_syn_again(seg, req) ? MET_SYN_REPEATED : 0);
}

/* Its exit: @result is the child, the listener where the ACK was bad, or NULL.
 * It is called for Fast Open too, which no entry told of. */
static __always_inline void fate_request_done(struct flight *flight,
					      __u64 result)
{
	__u64 req;

	if (!flight || !flight->request)
		return;
	req = flight->request;
	flight->request = 0;
	if (result == flight->listener)
		flight->met |= MET_BAD_ACK;
	else if (result)
		flight->met |= MET_CHILD;
	else
		flight->met |= request_stays(flight, req);
}

/* inet_csk_reqsk_queue_drop_and_put(listener, req): the listener has closed, and
 * the kernel looks again. Inside a flight nobody else calls it but tcp_check_req(),
 * of an MPTCP join, whose child is not to be accepted. */
static __always_inline void fate_request_dropped(void)
{
	struct flight *flight = flight_current(this_cell());

	if (!flight || flight->request)
		return;
	flight->met |= MET_LISTENER_CLOSED;
	flight->record.more.segment.notes |= DEMUX_NOTE_REPEATED;
}

/* Exit of tcp_timewait_state_process. What shall be answered with a reset comes
 * to that next, and where that sends none nothing is sent; a SYN that reopens to a
 * listener; if there is none, it is answered with an ACK as others are. */
static __always_inline void fate_timewait_done(struct flight *flight,
					       __u32 verdict)
{
	if (!flight || (verdict == TCP_TW_RST && config.blind & BLIND_RESET))
		return;
	flight->met |= verdict == TCP_TW_SUCCESS || verdict == TCP_TW_RST ?
			       MET_SWALLOWED :
			       MET_ACKED;
}

#endif
