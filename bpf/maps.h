/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h - what the kernel half keeps: the ring, one cell per CPU, and what
 * must outlive a single segment.
 */
#ifndef DEMUX_MAPS_H
#define DEMUX_MAPS_H

#include <bpf/bpf_helpers.h>

#include "classify.h"
#include "classify_datagram.h"
#include "config.h"
#include "event.h"
#include "kernel.h"

const volatile struct demux_config config = {};

/* What a segment that no connected socket gets asks the listeners; without
 * --detail only one that is nobody's. */
struct listen_query {
	__u64 net;
	__u32 addr[4];
	__u32 dif; /* the device it came in by */
	__u32 sdif; /* where that is a VRF, its member */
	__u16 port;
	__u8 family;
	__u8 any_device; /* net.ipv4.tcp_l3mdev_accept */
	__u8 may_refuse; /* one is in a group that may */
	__u8 pad[7];
	__u64 sock[SOCK_COPY / 8]; /* a copy of the one that is looked at */
};

/* One call of tcp_v4_rcv or tcp_v6_rcv that is under way. */
struct flight {
	__u64 skb; /* 0: this place is free */
	__u64 task; /* who runs it; compared on PREEMPT_RT only */
	__u64 child; /* the last one born in it */
	__u64 listener; /* that it met; else that of the request below */
	__u64 request; /* inside tcp_check_req */
	__u64 stolen; /* where that will say that another CPU was quicker */
	__u64 matched; /* the socket that has it; stable only */
	__u32 met; /* enum demux_met */
	__u32 carried; /* enum demux_carried */
	__u64 carrying; /* the socket that came with the skb */
	__u8 owned; /* it met a socket of the wanted process */
	__u8 ends; /* records in end */
	__u8 filtering; /* inside sk_filter_trim_cap; kprobe only */
	__u8 unwanted; /* counted already, told never; stable only */
	__u32 depth; /* of calls, with this one; kprobe only */
	__u32 place; /* in the cell */
	struct listen_query ask;
	struct demux_segment_why record; /* as much of it as there is */
	struct demux_close end[2]; /* sockets that it closed or destroyed */
};

/* One call of udp_rcv or udpv6_rcv that is under way. Its record is of the
 * receiver met last, and is told when the next one is, or the call ends. */
struct datagram_flight {
	__u64 skb; /* 0: this place is free */
	__u64 task; /* who runs it; compared on PREEMPT_RT only */
	__u64 copy; /* the skb that the last receiver gets: the same, or a clone */
	__u64 first; /* the first receiver; stable only */
	__u64 carried; /* the socket that came with the skb */
	__u32 depth; /* of calls, with this one; kprobe only */
	__u32 place; /* in the cell */
	__u16 met; /* enum datagram_met, of the datagram or its last receiver */
	__u16 told; /* records */
	__u8 family;
	__u8 is_group; /* to a multicast or broadcast address */
	__u8 owned; /* the last receiver is the wanted process's */
	__u8 filtering; /* inside sk_filter_trim_cap; kprobe only */
	__u8 unwanted; /* counted already, told never; stable only */
	__u8 lost; /* parts that the last receiver did not get */
	__u8 is_early; /* it came with early demux's socket, surely */
	__u8 pad;
	__u32 check; /* length and checksum in its header */
	struct demux_datagram record;
};

/* Receiving nests at most once (a bridge, or a redirect to ingress). */
#define FLIGHTS 2

struct cell {
	struct demux_counters count;
	struct demux_datagram_counters datagrams;
	__u32 open; /* flights under way */
	__u32 datagrams_open;
	__u32 depth; /* calls under way, filtered ones too; kprobe only */
	__u32 datagram_depth;
	__u64 reset; /* the skb last answered with a reset; stable only */
	__u64 dropped; /* the skb last seen dropped; stable only */
	__u64 datagram_dropped; /* the same of UDP */
	__u64 changed; /* the socket whose change of state was told last */
	__u32 until_look; /* records until the ring's fill is looked at */
	__u32 pad;
	struct flight flights[FLIGHTS];
	struct datagram_flight datagram_flights[FLIGHTS];
} __attribute__((aligned(64)));

/* By CPU number. A plain array, not a per-CPU one: its look-up is inlined on
 * every kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of CPUs before load */
	__type(key, __u32);
	__uint(map_flags, BPF_F_MMAPABLE); /* user space reads it that way */
	__type(value, struct cell);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24); /* --buffer-size */
} ring SEC(".maps");

/* Child to listener, from birth to accept(), which may know a later one, or the
 * end: an accepted socket itself keeps no pointer to the one it came from. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, __u64);
} births SEC(".maps");

/* Accepted sockets whose file descriptor is not there yet. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, __u8);
} accepting SEC(".maps");

/* Which listener a task accepts from, where that shows at the call's entry alone
 * (kprobe). A call that fails tells nothing, and leaves its place to the task's next. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u64); /* pid_tgid */
	__type(value, __u64); /* listener */
} accepts_from SEC(".maps");

/* What a task was called to do, until the call's exit tells how it went. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u64); /* pid_tgid, and which call in its highest bits */
	__type(value, __u64); /* socket */
} calls SEC(".maps");

/* The processes that the traced command has started. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 15);
	__type(key, __u32);
	__type(value, __u8);
} tasks SEC(".maps");

/* The sockets of the processes that are traced. */
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

/*
 * A flight by its place, for global functions. The verifier goes through such a
 * one only once for a program, whatever leads to it, so what is long, and reached
 * by several ways, is one; but that of 5.10 lets them have no pointers. Kept as it
 * is, or clang works the address out again from what it has spilled, of which
 * that verifier remembers no bound.
 */
static __always_inline struct flight *flight_at(struct cell *cell, __u32 place)
{
	struct flight *flight;

	if (!cell || place >= FLIGHTS)
		return NULL;
	flight = &cell->flights[place];
	asm volatile("" : "+r"(flight));
	return flight;
}

static __always_inline struct datagram_flight *
datagram_flight_at(struct cell *cell, __u32 place)
{
	struct datagram_flight *flight;

	if (!cell || place >= FLIGHTS)
		return NULL;
	flight = &cell->datagram_flights[place];
	asm volatile("" : "+r"(flight));
	return flight;
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
