/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcp_states.h - the states of a socket, by the kernel's numbers: both halves
 * name them so.
 */
#ifndef DEMUX_TCP_STATES_H
#define DEMUX_TCP_STATES_H

enum { /* include/net/tcp_states.h */
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
	TCP_NEW_SYN_RECV = 12,
};

#endif
