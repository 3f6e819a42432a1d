/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h - what the kernel half keeps: the ring, one cell per CPU, and what
 * must outlive a single segment.
 */
#ifndef DEMUX_MAPS_H
#define DEMUX_MAPS_H

#include <bpf/bpf_helpers.h>

#include "classify.h"
#include "config.h"
#include "event.h"

const volatile struct demux_config config = {};

/* One call of tcp_v4_rcv or tcp_v6_rcv that is under way. */
struct flight {
	__u64 skb; /* 0: this place is free */
	__u64 task; /* who runs it; compared on PREEMPT_RT only */
	__u64 child; /* the last one born in it */
	__u32 met; /* enum demux_met */
	__u32 carried; /* enum demux_carried */
	__u64 carried_id; /* of the socket that came with the skb */
	__u8 owned; /* it met a socket of the wanted process */
	__u8 ends; /* records in end */
	__u8 pad[6];
	struct demux_segment_more record;
	struct demux_close end[2]; /* sockets that it closed or destroyed */
};

/* Receiving nests at most once (a bridge, or a redirect to ingress). */
#define FLIGHTS 2

struct cell {
	struct demux_counters count;
	__u32 open; /* flights under way */
	__u32 until_look; /* records until the ring's fill is looked at */
	struct flight flights[FLIGHTS];
} __attribute__((aligned(64)));

/* By CPU number. A plain array, not a per-CPU one: its look-up is inlined on
 * every kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of CPUs before load */
	__type(key, __u32);
	__type(value, struct cell);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24); /* --buffer-size */
} ring SEC(".maps");

/* Child to listener, from birth to accept() or the end: an accepted socket
 * itself keeps no pointer to the one it came from. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, __u64);
} births SEC(".maps");

/* Accepted sockets whose file descriptor is not there yet, by socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 13);
	__type(key, __u64);
	__type(value, struct demux_accept);
} accepting SEC(".maps");

/* The sockets of the process that --pid names. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, __u8);
} owned SEC(".maps");

static __always_inline struct cell *this_cell(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cells, &cpu);
}

/* Softirqs of one CPU never run at once but on PREEMPT_RT; process context
 * may be interrupted by one anywhere. */
static __always_inline void count_softirq(__u64 *counter)
{
	if (config.rt)
		__sync_fetch_and_add(counter, 1);
	else
		(*counter)++;
}

static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

#endif
