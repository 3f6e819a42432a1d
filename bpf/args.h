/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * args.h - where a hooked function's result is, on this kernel, and an argument
 * that it may not have.
 *
 * An fexit program finds the result in the slot after the last argument, and
 * how many arguments a function has changed over the years: user space counts
 * them in BTF. Each slot is loaded by an instruction of its own, because clang
 * would merge the loads into one with a computed offset, which the verifier
 * refuses ("dereference of modified ctx ptr").
 */
#ifndef DEMUX_ARGS_H
#define DEMUX_ARGS_H

#include <bpf/bpf_helpers.h>

#include "kernel.h"

#define LOAD_SLOT(ctx, n)                                     \
	({                                                    \
		__u64 __slot;                                 \
		asm volatile("%0 = *(u64 *)(%1 + " #n " * 8)" \
			     : "=r"(__slot)                   \
			     : "r"(ctx));                     \
		__slot;                                       \
	})

/* Slot @n, 1 to 6, of a program's arguments; @n is one of config's. */
static __always_inline __u64 load_slot(void *ctx, __u8 n)
{
	if (n == 1)
		return LOAD_SLOT(ctx, 1);
	if (n == 2)
		return LOAD_SLOT(ctx, 2);
	if (n == 3)
		return LOAD_SLOT(ctx, 3);
	if (n == 4)
		return LOAD_SLOT(ctx, 4);
	if (n == 5)
		return LOAD_SLOT(ctx, 5);
	return LOAD_SLOT(ctx, 6);
}

/* The same of an argument that points to what is no struct, which the verifier
 * of 5.10 lets no program load. */
static __always_inline __u64 probe_slot(void *ctx, __u8 n)
{
	__u64 slot = 0;

	bpf_probe_read_kernel(&slot, sizeof(slot), (__u64 *)ctx + n);
	return slot;
}

/* The kfree_skb tracepoint's reason, 0 where the kernel tells none. */
static __always_inline __u32 drop_reason(__u64 *ctx)
{
	return config.drop_args >= 3 ? ctx[2] : 0;
}

/* Does it say that the socket would not have it? */
static __always_inline bool is_refusal(__u32 reason)
{
	for (int i = 0; i < 4; i++)
		if (config.refusals[i] && reason == config.refusals[i])
			return true;
	return false;
}

/* Its rx_sk, NULL likewise. */
static __always_inline struct sock *drop_sock(__u64 *ctx)
{
	return config.drop_args >= 4 ? (struct sock *)ctx[3] : NULL;
}

#endif
