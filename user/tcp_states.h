/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcp_states.h - the states of a socket that the kernel half reports, by the
 * kernel's numbers. Knows no stage.
 */
#ifndef TCP_STATES_H
#define TCP_STATES_H

enum { /* include/net/tcp_states.h */
	ESTABLISHED = 1,
	SYN_RECV = 3,
	TIME_WAIT = 6,
	CLOSE = 7,
	LISTEN = 10,
	NEW_SYN_RECV = 12,
};

#endif
