/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event_udp.h - the part of event.h that is about UDP: that file includes it,
 * where what it needs has been declared.
 */
#ifndef DEMUX_EVENT_UDP_H
#define DEMUX_EVENT_UDP_H

enum demux_datagram_outcome {
	DEMUX_CONNECTED = 1, /* a socket that has its remote end too */
	DEMUX_UNCONNECTED = 2, /* one that takes any remote end */
	DEMUX_MULTICAST = 3, /* a copy of what was sent to many */
	DEMUX_NOBODY = 4, /* looked up, and nobody's */
	DEMUX_DENIED = 5, /* policy, socket filter, LSM */
	DEMUX_BAD_DATAGRAM = 6, /* bad length or checksum */
};

/* The first bits are those of enum demux_segment_have. */
enum demux_datagram_have {
	DEMUX_HAVE_LEN = DEMUX_HAVE_TCP, /* payload */
	DEMUX_HAVE_SCORE = 1 << 9, /* score, score_parts */
	DEMUX_HAVE_GROUP = 1 << 10, /* group_size; group_by, if it chose */
	DEMUX_HAVE_INDEX = 1 << 11, /* group_index */
	DEMUX_HAVE_DROP = 1 << 12, /* drop_reason */
	DEMUX_HAVE_CHOOSER = 1 << 16, /* sk_lookup */
};

enum demux_datagram_note {
	DEMUX_NOTE_ICMP = 1 << 0, /* to be answered with port unreachable */
	DEMUX_NOTE_BAD_CHECKSUM = 1 << 1,
	DEMUX_NOTE_ENCAP = 1 << 2, /* the socket serves an encapsulation */
	DEMUX_NOTE_DROPPED = 1 << 3, /* its socket had no room, or the like */
	DEMUX_NOTE_GROUP = 1 << 4, /* to a multicast or broadcast address */
	DEMUX_NOTE_SK_LOOKUP = 1 << 5, /* its socket is at other ends, and BPF
					  programs on sk_lookup are there */
	DEMUX_NOTE_CHOOSERS = 1 << 6, /* sk_lookup is the first of several */
};

/* What the kernel gives a socket points for, among those that could take a
 * datagram: the highest score gets it. */
enum demux_score_part {
	DEMUX_SCORE_BASE = 1 << 0, /* IPv4: 2 for an IPv4 socket, else 1 */
	DEMUX_SCORE_RADDR = 1 << 1, /* connected to this address */
	DEMUX_SCORE_RPORT = 1 << 2, /* connected to this port */
	DEMUX_SCORE_DEVICE = 1 << 3, /* bound to a device */
	DEMUX_SCORE_CPU = 1 << 4, /* SO_INCOMING_CPU is this CPU */
};

/* One socket's copy of a datagram. */
struct demux_datagram {
	struct demux_head head; /* mono_ns: when the datagram arrived */
	__u32 have; /* enum demux_segment_have, enum demux_datagram_have */
	__u32 netns;
	struct demux_ends ends; /* as in the datagram's headers */
	__u32 payload; /* bytes of data */
	__u32 ifindex; /* the device it came in by */
	__u16 segs; /* wire datagrams in this skb: GRO and GSO merge them */
	__u16 copy; /* from 0, of those told of this datagram */
	__u16 group_size; /* of the socket's SO_REUSEPORT group */
	__u16 group_index; /* of the socket in it */
	__u8 outcome; /* enum demux_datagram_outcome */
	__u8 via; /* enum demux_via */
	__u8 notes; /* enum demux_datagram_note */
	__u8 predicted; /* enum demux_predicted */
	__u8 score;
	__u8 score_parts; /* enum demux_score_part */
	__u8 group_by; /* enum demux_group_by */
	__u8 segs_lost; /* of segs, which the socket gets one by one: refused,
			   or dropped */
	struct demux_sock sock; /* who gets it */
	__u32 sdif; /* where ifindex is a VRF: its member, 0 for none */
	__u32 drop_reason; /* this kernel's number, see demux_reason */
	__u32 sk_lookup; /* id of the BPF program */
	__u32 pad;
};
/* Once, and later. */
#define DEMUX_DATAGRAM_LEN  offsetof(struct demux_datagram, sdif)
#define DEMUX_DATAGRAM_LEN2 offsetof(struct demux_datagram, sk_lookup)

/* Counted per CPU in the kernel, as struct demux_counters. */
struct demux_datagram_counters {
	__u64 seen; /* datagrams that entered udp_rcv or udpv6_rcv */
	__u64 filtered; /* of these, not asked for */
	__u64 told; /* of these, followed to their end */
	__u64 skipped; /* of these, not followed: no place, or never finished */
	__u64 emitted; /* records put into the ring: one for each receiver */
	__u64 lost; /* records that did not fit into it */
	__u64 unseen; /* the recursion guard hid them; user space counts */
};

_Static_assert(sizeof(struct demux_datagram) == 168, "struct demux_datagram");
_Static_assert(DEMUX_DATAGRAM_LEN == 152, "struct demux_datagram, once");
_Static_assert(DEMUX_DATAGRAM_LEN2 == 160, "struct demux_datagram, later");
_Static_assert(sizeof(struct demux_datagram_counters) == 56,
	       "struct demux_datagram_counters");

#endif
