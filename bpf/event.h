/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event.h - what the kernel half tells user space: the records of the ring
 * buffer, which are also, byte for byte, the records of a recording.
 *
 * Addresses are bytes in network order; every other field, ports included, is
 * in host order. Every record is a multiple of 8 bytes and starts with
 * struct demux_head. Padding is spelled out and zero. Numbers are appended,
 * never reused; whoever changes a layout raises DEMUX_ABI.
 *
 * Unknown is not zero: a field that may be unknown has a bit in `have`, and
 * means nothing without it.
 */
#ifndef DEMUX_EVENT_H
#define DEMUX_EVENT_H

#include <linux/types.h>
#include <stddef.h>

#define DEMUX_ABI 3

enum demux_type {
	DEMUX_SEGMENT = 1, /* a TCP segment came in, matched or not */
	DEMUX_ACCEPT = 2, /* accept() returned a socket */
	DEMUX_LISTEN = 3, /* listen() succeeded */
	DEMUX_CLOSE = 4, /* a socket left the hash tables, or was destroyed */
	DEMUX_END = 5, /* user space's last word: the counters of the trace */
	DEMUX_SOCKET = 6, /* a socket that was there before: a demux_accept */
	DEMUX_FD = 7, /* for source_live.c alone: never in a recording */
	DEMUX_DATAGRAM = 8, /* a UDP datagram came in, once for each receiver */
	DEMUX_REASON = 9, /* what this kernel calls a drop reason */
	DEMUX_BIND = 10, /* a UDP socket got its port or its remote end: a
			    demux_accept */
	DEMUX_DEVICE = 11, /* a socket was bound to a device, or to none */
};

struct demux_head {
	__u16 type; /* enum demux_type */
	__u16 len; /* of the whole record, this included */
	__u32 cpu;
	__u64 mono_ns; /* CLOCK_MONOTONIC, when it happened */
};

/* Two ends of a connection, seen from this host. */
struct demux_ends {
	__u8 laddr[16]; /* IPv4: the first 4 bytes, the others 0 */
	__u8 raddr[16];
	__u16 lport;
	__u16 rport;
	__u8 family; /* 4 or 6 */
	__u8 pad[3];
};

enum demux_sock_flag {
	DEMUX_SOCK_V6ONLY = 1 << 0,
	DEMUX_SOCK_REUSEPORT = 1 << 1,
	/* DEMUX_SOCKET only: the id is made up; ends and netns tell who it is. */
	DEMUX_SOCK_BY_ENDS = 1 << 2,
	DEMUX_SOCK_UDP = 1 << 3, /* state: ESTABLISHED connected, else CLOSE */
};

/* A socket, request or TIME_WAIT minisock as it stood when it was matched. */
struct demux_sock {
	__u64 id; /* its address, scrambled by a key of this trace */
	struct demux_ends ends; /* as the socket has them, not the segment */
	__u32 netns; /* inode number of its network namespace */
	__u32 ifindex; /* the device it is bound to, 0 for none */
	__u8 state; /* TCP_* of include/net/tcp_states.h */
	__u8 flags; /* enum demux_sock_flag */
	__u8 substate; /* of TIME_WAIT: FIN_WAIT2 until the peer's FIN comes; or 0 */
	__u8 pad[5];
};

enum demux_outcome {
	DEMUX_ESTABLISHED = 1, /* a full socket that does not listen */
	DEMUX_LISTENER = 2,
	DEMUX_REQUEST = 3, /* a NEW_SYN_RECV minisock */
	DEMUX_TIME_WAIT = 4, /* a TIME_WAIT minisock */
	DEMUX_NONE = 5, /* looked up, and nobody's */
	DEMUX_REFUSED = 6, /* policy, MD5, TTL, socket filter, LSM */
	DEMUX_MALFORMED = 7, /* too short, or its checksum is wrong */
};

enum demux_via {
	DEMUX_EARLY_DEMUX = 1, /* found before routing, by tcp_v4_early_demux */
	DEMUX_LOOKUP = 2, /* found, or not, by the lookup in tcp_v4_rcv */
	DEMUX_ASSIGNED = 3, /* given to the skb by TPROXY or bpf_sk_assign */
};

/* What became of it there. Each outcome has its own; see docs/formats.md. */
enum demux_detail {
	/* established */
	DEMUX_TAKEN_UP = 1, /* processed at once */
	DEMUX_BACKLOG = 2, /* a process has the socket: it comes later */
	DEMUX_BACKLOG_FULL = 3, /* dropped */
	/* listener */
	DEMUX_REQUEST_MADE = 4,
	DEMUX_SYN_DROPPED = 5,
	DEMUX_COOKIE_SENT = 6,
	DEMUX_COOKIE_ACCEPTED = 7,
	DEMUX_IGNORED = 8,
	/* request; listener: Fast Open */
	DEMUX_CHILD = 9,
	DEMUX_SYN_REPEATED = 10,
	DEMUX_BAD_ACK = 11,
	DEMUX_STOLEN = 12, /* another CPU was quicker */
	DEMUX_LISTENER_CLOSED = 13,
	DEMUX_KEPT = 14, /* nothing made of it, the request stays */
	/* time_wait */
	DEMUX_SWALLOWED = 15,
	DEMUX_ACKED = 16,
	DEMUX_REOPENED = 17,
	/* none, listener, request, time_wait */
	DEMUX_RESET = 18,
	/* none */
	DEMUX_SILENT = 19,
	/* refused */
	DEMUX_BY_FILTER = 20,
	DEMUX_BY_POLICY = 21, /* IPsec */
	DEMUX_BY_MD5 = 22,
	DEMUX_BY_AO = 23,
	DEMUX_BY_TTL = 24,
	DEMUX_BY_OTHER = 25,
	/* malformed */
	DEMUX_BAD_HEADER = 26,
	DEMUX_BAD_CHECKSUM = 27, /* or found wrong at its socket */
	/* request */
	DEMUX_ENDED = 28, /* a reset ended it */
};

enum demux_assigned_by {
	DEMUX_BY_TPROXY = 1,
	DEMUX_BY_SK_ASSIGN = 2, /* bpf_sk_assign() in a tc program */
};

enum demux_segment_have {
	DEMUX_HAVE_ADDRS = 1 << 0, /* ends: both addresses */
	DEMUX_HAVE_PORTS = 1 << 1, /* ends: both ports */
	DEMUX_HAVE_TCP = 1 << 2, /* seq, ack, payload, flags */
	DEMUX_HAVE_NETNS = 1 << 3,
	DEMUX_HAVE_OUTCOME = 1 << 4, /* if not, no hook saw its fate */
	DEMUX_HAVE_VIA = 1 << 5,
	DEMUX_HAVE_SOCK = 1 << 6,
	DEMUX_HAVE_PARENT = 1 << 7, /* the record is a demux_segment_more */
	DEMUX_HAVE_CHILD = 1 << 8, /* the record is a demux_segment_more */
	DEMUX_HAVE_DETAIL = 1 << 9,
	DEMUX_HAVE_REASON = 1 << 10, /* the kernel dropped it */
	DEMUX_HAVE_QUEUES = 1 << 11, /* of the listener that it met */
	DEMUX_HAVE_SK_LOOKUP = 1 << 12, /* its namespace has such a program */
	DEMUX_HAVE_ASSIGNED_BY = 1 << 13,
	DEMUX_HAVE_WHY = 1 << 14, /* the record is a demux_segment_why */
	DEMUX_HAVE_SDIF = 1 << 15,
};

enum demux_segment_note {
	DEMUX_NOTE_RESET = 1 << 0, /* the kernel answered with a reset */
	DEMUX_NOTE_CHECKSUM = 1 << 1, /* its checksum is wrong */
	DEMUX_NOTE_REPEATED = 1 << 2, /* looked up again: request gone */
	DEMUX_NOTE_MAY_REFUSE = 1
				<< 3, /* a listener that could have taken it is
					   in a reuseport group that has a
					   program, which may say no */
	DEMUX_NOTE_NONE_LISTENS = 1 << 4, /* no listener could have taken it:
					     the kernel's table was walked */
	DEMUX_NOTE_SK_LOOKUPS = 1 << 5, /* sk_lookup is the first of several:
					   which one chose was not seen */
};

/* Not seen, but told by something seen a moment later or elsewhere. */
enum demux_predicted {
	DEMUX_PREDICTED_OUTCOME = 1 << 0,
	DEMUX_PREDICTED_SOCK = 1 << 1,
	DEMUX_PREDICTED_PARENT = 1 << 2,
	DEMUX_PREDICTED_VIA = 1 << 3,
};

struct demux_segment {
	struct demux_head head;
	__u32 have; /* enum demux_segment_have */
	__u32 netns;
	struct demux_ends ends; /* as in the segment's headers */
	__u32 seq;
	__u32 ack;
	__u32 payload; /* bytes of data in this skb */
	__u16 segs; /* wire segments in this skb: GRO and GSO merge them */
	__u16 flags; /* TCP header bytes 12 and 13, the low 12 bits */
	__u32 ifindex; /* the device it came in by */
	__u8 outcome; /* enum demux_outcome */
	__u8 via; /* enum demux_via */
	__u8 notes; /* enum demux_segment_note */
	__u8 predicted; /* enum demux_predicted */
	__u16 window; /* as in the header, not scaled */
	__u8 detail; /* enum demux_detail */
	__u8 assigned_by; /* enum demux_assigned_by */
	__u32 drop_reason; /* this kernel's number, see demux_reason */
	/* The listener's queues when it was met: connections that wait for
	 * accept(), how many may, and requests. */
	__u32 accept_queue;
	__u32 accept_limit;
	__u32 syn_queue;
	__u32 sk_lookup; /* id of the BPF program */
	__u32 sdif; /* where ifindex is a VRF: its member, 0 for none */
	__u32 pad;
	struct demux_sock sock; /* the matched one */
};

/* What demux_segment and demux_datagram begin with. */
struct demux_arrival {
	struct demux_head head;
	__u32 have;
	__u32 netns;
	struct demux_ends ends;
};

/* Sent instead where the segment met more than one socket. */
struct demux_segment_more {
	struct demux_segment segment;
	struct demux_sock parent; /* request, reopened TIME_WAIT, child: the
				     listener */
	struct demux_sock child; /* born of this segment */
};

enum demux_why_have {
	DEMUX_WHY_SLOT = 1 << 0, /* hash_slots, hash_slot */
	DEMUX_WHY_CHAIN = 1 << 1, /* the chain was walked to its end */
	DEMUX_WHY_POSITION = 1 << 2, /* and the socket was found there */
	DEMUX_WHY_CANDIDATES = 1 << 3,
	DEMUX_WHY_GROUP = 1 << 4, /* group_size */
	DEMUX_WHY_GROUP_CHOICE = 1 << 5, /* group_index, group_by */
	DEMUX_WHY_OPTIONS = 1 << 6,
	DEMUX_WHY_GROUP_HASH = 1 << 7,
};

enum demux_group_by {
	DEMUX_GROUP_BY_HASH = 1,
	DEMUX_GROUP_BY_BPF = 2,
	DEMUX_GROUP_BY_CPU = 3, /* SO_INCOMING_CPU */
};

enum demux_candidate_flag {
	DEMUX_CANDIDATE_ADDRESS = 1 << 0, /* has the address, not any */
	DEMUX_CANDIDATE_DEVICE = 1 << 1, /* is bound to the device */
	DEMUX_CANDIDATE_FAMILY = 1 << 2, /* AF_INET, for an IPv4 segment */
	DEMUX_CANDIDATE_CPU = 1 << 3, /* SO_INCOMING_CPU is this CPU */
	DEMUX_CANDIDATE_REUSEPORT = 1 << 4, /* its group is asked */
	DEMUX_CANDIDATE_LAST = 1 << 5, /* stands behind those without */
};

/* A listener that could have taken the segment. */
struct demux_candidate {
	__u64 id;
	__u32 ifindex; /* the device it is bound to, 0 for none */
	__s16 score; /* as compute_score() gives it */
	__u8 flags; /* enum demux_candidate_flag */
	__u8 pad;
};

#define DEMUX_CANDIDATES 8
#define DEMUX_OPTIONS    40

/* Why this socket; asked for by --detail and --explain. The tables were looked
 * at a moment after the kernel's own lookup. */
struct demux_why {
	__u32 have; /* enum demux_why_have */
	/* The established hash: where these two ends belong. */
	__u32 hash_slots;
	__u32 hash_slot;
	__u32 chain_position; /* of the matched socket, from 0 */
	__u32 chain_length;
	/* Listeners that could have taken it, in the order of the lookup. */
	__u32 candidates; /* all that there are */
	/* The reuseport group of the matched socket. */
	__u32 group_size;
	__u32 group_hash;
	__u32 group_index; /* of the matched socket */
	__u8 group_by; /* enum demux_group_by */
	__u8 option_bytes;
	__u8 pad[2];
	__u8 options[DEMUX_OPTIONS]; /* of the TCP header, as they came */
	struct demux_candidate candidate[DEMUX_CANDIDATES]; /* the first ones */
};

/* Sent instead of either; parent and child may be all zero. */
struct demux_segment_why {
	struct demux_segment_more more;
	struct demux_why why;
};

/* Comes before the first segment or datagram that has this drop reason. */
struct demux_reason {
	struct demux_head head;
	__u32 reason;
	__u32 pad;
	char name[48]; /* without SKB_DROP_REASON_, ends with a NUL */
};

#include "event_sock.h" /* struct demux_accept and the like */
#include "event_udp.h" /* struct demux_datagram */

/* Counted per CPU in the kernel, summed in user space. */
struct demux_counters {
	__u64 seen; /* segments that entered tcp_v4_rcv or tcp_v6_rcv */
	__u64 filtered; /* of these, not asked for */
	__u64 emitted; /* of these, put into the ring */
	__u64 lost; /* of these, did not fit into the ring */
	__u64 lost_other; /* accept, listen and close records that did not fit */
	__u64 skipped; /* of seen, not followed: no place, or never finished */
	__u64 not_host; /* frames for others, that TCP does not count either */
	__u64 stuck; /* hooks that a busy map or table turned away */
};

/* The last record of a recording; one without it was cut. */
struct demux_end {
	struct demux_head head;
	struct demux_counters counters;
	__u64 unseen; /* segments the recursion guard hid from the entry hook, and
			 what the kernel counted (InSegs, calls) and no
			 hook saw */
	struct demux_datagram_counters datagrams; /* where UDP was asked for */
};
#define DEMUX_END_LEN offsetof(struct demux_end, datagrams) /* of TCP alone */

#define DEMUX_ASSERT(what) _Static_assert(what, #what)
DEMUX_ASSERT(sizeof(struct demux_head) == 16);
DEMUX_ASSERT(sizeof(struct demux_ends) == 40);
DEMUX_ASSERT(sizeof(struct demux_sock) == 64);
DEMUX_ASSERT(sizeof(struct demux_segment) == 184);
DEMUX_ASSERT(sizeof(struct demux_segment_more) == 312);
DEMUX_ASSERT(sizeof(struct demux_candidate) == 16);
DEMUX_ASSERT(sizeof(struct demux_why) == 208);
DEMUX_ASSERT(sizeof(struct demux_segment_why) == 520);
DEMUX_ASSERT(sizeof(struct demux_reason) == 72);
DEMUX_ASSERT(sizeof(struct demux_accept) == 144);
DEMUX_ASSERT(sizeof(struct demux_fd) == 32);
DEMUX_ASSERT(sizeof(struct demux_listen) == 112);
DEMUX_ASSERT(sizeof(struct demux_close) == 88);
DEMUX_ASSERT(sizeof(struct demux_device) == 80);
DEMUX_ASSERT(sizeof(struct demux_counters) == 64);
DEMUX_ASSERT(offsetof(struct demux_segment, ends) ==
	     offsetof(struct demux_arrival, ends));
DEMUX_ASSERT(offsetof(struct demux_datagram, ends) ==
	     offsetof(struct demux_arrival, ends));
DEMUX_ASSERT(DEMUX_END_LEN == 88);
DEMUX_ASSERT(sizeof(struct demux_end) == 144);

#endif
