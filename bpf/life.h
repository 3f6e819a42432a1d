/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * life.h - the programs on a socket's changes of state and its end, which every
 * backend has alike. What else a backend makes of a change, it says in a function
 * of its own, and names that STATE_CHANGES.
 */
#ifndef DEMUX_LIFE_H
#define DEMUX_LIFE_H

#include "accept.h"

#ifndef STATE_CHANGES
#define STATE_CHANGES sock_changes
#endif

/*
 * A task that changes its socket's state may be interrupted by a softirq that
 * changes another's, and a program that runs already is kept out then. Two are
 * attached: the second tells what the first could not. At worst both tell.
 */
static __always_inline bool is_news(struct sock *sk, bool is_second)
{
	struct cell *cell = this_cell();

	if (!cell)
		return false;
	if (!is_second) {
		cell->changed = (__u64)sk;
		return true;
	}
	if (cell->changed != (__u64)sk)
		return true;
	cell->changed = 0;
	return false;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int before, int after)
{
	if (is_news(sk, false))
		STATE_CHANGES(sk, before, after);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state_again, struct sock *sk, int before, int after)
{
	if (is_news(sk, true))
		STATE_CHANGES(sk, before, after);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	sock_closes(sk, DEMUX_DESTROYED);
	return 0;
}

#endif
