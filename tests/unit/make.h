/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make.h - builds records as the kernel half makes them, for unit tests, the
 * golden recordings and the fuzzer's first inputs. Wants no cmocka.
 */
#ifndef TESTS_MAKE_H
#define TESTS_MAKE_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "event.h"
#include "recording.h"

/* include/net/tcp_states.h; prefixed, for the modules have names of their
 * own. */
enum {
	S_ESTABLISHED = 1,
	S_SYN_SENT = 2,
	S_SYN_RECV = 3,
	S_FIN_WAIT2 = 5,
	S_TIME_WAIT = 6,
	S_CLOSE = 7,
	S_LISTEN = 10,
	S_NEW_SYN_RECV = 12,
};

enum {
	F_FIN = 0x01,
	F_SYN = 0x02,
	F_RST = 0x04,
	F_PSH = 0x08,
	F_ACK = 0x10
};

#define MAKE_NETNS 4026531840u

static inline struct demux_ends make_ends(const char *laddr, uint16_t lport,
					  const char *raddr, uint16_t rport)
{
	struct demux_ends ends = { .lport = lport, .rport = rport };
	int family = strchr(laddr, ':') ? AF_INET6 : AF_INET;

	ends.family = family == AF_INET6 ? 6 : 4;
	inet_pton(family, laddr, ends.laddr);
	inet_pton(family, raddr, ends.raddr);
	return ends;
}

static inline struct demux_sock make_sock(uint64_t id, uint8_t state,
					  struct demux_ends ends)
{
	return (struct demux_sock){
		.id = id,
		.ends = ends,
		.netns = MAKE_NETNS,
		.state = state,
	};
}

static inline struct demux_sock make_listener(uint64_t id, const char *laddr,
					      uint16_t lport)
{
	const char *any = strchr(laddr, ':') ? "::" : "0.0.0.0";

	return make_sock(id, S_LISTEN, make_ends(laddr, lport, any, 0));
}

static inline struct demux_head head_of(uint16_t type, uint16_t len,
					uint64_t mono_ns)
{
	return (struct demux_head){ .type = type,
				    .len = len,
				    .mono_ns = mono_ns };
}

/* A pure ACK that was looked up; it has no socket yet. */
static inline struct demux_segment_more
make_segment(uint64_t mono_ns, uint8_t outcome, struct demux_ends ends)
{
	struct demux_segment_more more = {
		.segment = {
			.head = head_of(DEMUX_SEGMENT, sizeof(struct demux_segment), mono_ns),
			.have = DEMUX_HAVE_ADDRS | DEMUX_HAVE_PORTS |
				DEMUX_HAVE_TCP | DEMUX_HAVE_NETNS |
				DEMUX_HAVE_OUTCOME,
			.netns = MAKE_NETNS,
			.ends = ends,
			.seq = 1000,
			.ack = 2000,
			.segs = 1,
			.flags = F_ACK,
			.ifindex = 2,
			.outcome = outcome,
		},
	};

	if (outcome != DEMUX_MALFORMED) {
		more.segment.have |= DEMUX_HAVE_VIA;
		more.segment.via = DEMUX_LOOKUP;
	}
	return more;
}

static inline void give_sock(struct demux_segment_more *more,
			     struct demux_sock sock)
{
	more->segment.have |= DEMUX_HAVE_SOCK;
	more->segment.sock = sock;
}

static inline void give_parent(struct demux_segment_more *more,
			       struct demux_sock parent)
{
	more->segment.have |= DEMUX_HAVE_PARENT;
	more->segment.head.len = sizeof(*more);
	more->parent = parent;
}

static inline void give_child(struct demux_segment_more *more,
			      struct demux_sock child)
{
	more->segment.have |= DEMUX_HAVE_CHILD;
	more->segment.head.len = sizeof(*more);
	more->child = child;
}

/* A segment that an open connection of these two ends gets. */
static inline struct demux_segment_more
make_match(uint64_t mono_ns, uint64_t id, struct demux_ends ends)
{
	struct demux_segment_more more =
		make_segment(mono_ns, DEMUX_ESTABLISHED, ends);

	give_sock(&more, make_sock(id, S_ESTABLISHED, ends));
	return more;
}

/* A datagram that was looked up, and given to @sock. */
static inline struct demux_datagram
make_datagram(uint64_t mono_ns, struct demux_ends ends, struct demux_sock sock)
{
	return (struct demux_datagram){
		.head = head_of(DEMUX_DATAGRAM, sizeof(struct demux_datagram),
				mono_ns),
		.have = DEMUX_HAVE_ADDRS | DEMUX_HAVE_PORTS | DEMUX_HAVE_LEN |
			DEMUX_HAVE_NETNS | DEMUX_HAVE_OUTCOME | DEMUX_HAVE_VIA |
			DEMUX_HAVE_SOCK,
		.netns = MAKE_NETNS,
		.ends = ends,
		.segs = 1,
		.ifindex = 2,
		.outcome = sock.ends.rport ? DEMUX_CONNECTED :
					     DEMUX_UNCONNECTED,
		.via = DEMUX_LOOKUP,
		.sock = sock,
	};
}

/* @listener is an id, 0 for unknown. */
static inline struct demux_accept make_accept(uint64_t mono_ns, uint32_t pid,
					      const char *comm, int32_t fd,
					      uint64_t listener,
					      struct demux_sock sock)
{
	struct demux_accept record = {
		.head = head_of(DEMUX_ACCEPT, sizeof(record), mono_ns),
		.have = DEMUX_HAVE_FD | DEMUX_HAVE_INODE | DEMUX_HAVE_COOKIE |
			DEMUX_HAVE_OWNER | (listener ? DEMUX_HAVE_LISTENER : 0),
		.fd = fd,
		.pid = pid,
		.tid = pid + 1,
		.uid = 1000,
		.inode = 70000ull + fd,
		.cookie = 500ull + fd,
		.listener = listener,
		.sock = sock,
	};

	strncpy(record.comm, comm, sizeof(record.comm) - 1);
	return record;
}

/* A socket that was there before; @pid 0: no process has it open. */
static inline struct demux_accept make_before(uint64_t mono_ns, uint32_t pid,
					      const char *comm, int32_t fd,
					      uint64_t listener,
					      struct demux_sock sock)
{
	struct demux_accept record =
		make_accept(mono_ns, pid, comm, fd, listener, sock);

	record.head.type = DEMUX_SOCKET;
	if (!pid)
		record.have &=
			~(DEMUX_HAVE_OWNER | DEMUX_HAVE_FD | DEMUX_HAVE_INODE);
	return record;
}

static inline struct demux_listen make_listen(uint64_t mono_ns, uint32_t pid,
					      const char *comm,
					      struct demux_sock sock)
{
	struct demux_listen record = {
		.head = head_of(DEMUX_LISTEN, sizeof(record), mono_ns),
		.pid = pid,
		.tid = pid,
		.uid = 1000,
		.backlog = 128,
		.sock = sock,
	};

	strncpy(record.comm, comm, sizeof(record.comm) - 1);
	return record;
}

static inline struct demux_close make_close(uint64_t mono_ns, uint32_t how,
					    struct demux_sock sock)
{
	return (struct demux_close){
		.head = head_of(DEMUX_CLOSE, sizeof(struct demux_close),
				mono_ns),
		.how = how,
		.sock = sock,
	};
}

static inline struct demux_device make_device(uint64_t mono_ns,
					      struct demux_sock sock)
{
	return (struct demux_device){
		.head = head_of(DEMUX_DEVICE, sizeof(struct demux_device),
				mono_ns),
		.sock = sock,
	};
}

/* The counters of a trace that lost nothing. */
static inline struct demux_end make_end(uint64_t mono_ns, uint64_t emitted,
					uint64_t filtered)
{
	return (struct demux_end){
		.head = head_of(DEMUX_END, DEMUX_END_LEN, mono_ns),
		.counters = {
			.seen = emitted + filtered,
			.filtered = filtered,
			.emitted = emitted,
		},
	};
}

static inline struct recording_head make_head(void)
{
	return (struct recording_head){
		.magic = { "sockdmx\n" },
		.order = RECORDING_ORDER,
		.abi = DEMUX_ABI,
		.len = sizeof(struct recording_head),
		.clock_offset_ns = 1763800000000000000,
		.kernel = "6.12.0-test",
		.backend = "fentry",
	};
}

#endif
