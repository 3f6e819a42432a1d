/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event_sock.h - the part of event.h that is about a socket's life: that file
 * includes it, where what it needs has been declared.
 */
#ifndef DEMUX_EVENT_SOCK_H
#define DEMUX_EVENT_SOCK_H

enum demux_accept_have {
	DEMUX_HAVE_FD = 1 << 0,
	DEMUX_HAVE_INODE = 1 << 1,
	DEMUX_HAVE_COOKIE = 1 << 2,
	DEMUX_HAVE_LISTENER = 1 << 3,
	DEMUX_HAVE_OWNER = 1 << 4, /* pid, uid, comm; DEMUX_ACCEPT: tid too */
	DEMUX_AT_END = 1 << 5, /* DEMUX_SOCKET: there when the trace ended */
};

/*
 * DEMUX_ACCEPT: accept() returned this socket to this process. DEMUX_SOCKET: it
 * was there before the trace, and this process has it open; one record for each
 * descriptor, so several for a socket that is shared; or, without an owner, a
 * socket that no process has open. DEMUX_BIND: a UDP socket got its local port,
 * by bind(), connect() or the first send, or its remote end, by connect(); fd and
 * inode are not known.
 */
struct demux_accept {
	struct demux_head head;
	__u32 have; /* enum demux_accept_have */
	__s32 fd;
	__u32 pid; /* thread group, in the initial pid namespace */
	__u32 tid;
	__u32 uid; /* in the initial user namespace */
	__u32 pad;
	__u64 inode; /* of the socket file, as in /proc/PID/fd */
	__u64 cookie; /* as SO_COOKIE and ss -e show it */
	__u64 listener; /* id of the socket that accept() was called on */
	char comm[16]; /* of the accepting thread; any byte, maybe no NUL */
	struct demux_sock sock;
};

/* The descriptor of an accepted socket, told after its DEMUX_ACCEPT. */
struct demux_fd {
	struct demux_head head;
	__u64 sock; /* id */
	__s32 fd;
	__u32 pad;
};

struct demux_listen {
	struct demux_head head;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 backlog; /* connections that may wait for accept() */
	char comm[16];
	struct demux_sock sock;
};

enum demux_close_how {
	DEMUX_UNHASHED = 1, /* state CLOSE: no segment can match it now */
	DEMUX_DESTROYED = 2, /* its memory goes back: the id may name another */
};

struct demux_close {
	struct demux_head head;
	__u32 how; /* enum demux_close_how */
	__u32 is_received; /* it closed inside a receive call on its CPU */
	struct demux_sock sock;
};

/* SO_BINDTODEVICE or SO_BINDTOIFINDEX, of a socket that segments or datagrams can
 * match already: @sock is as it left it. */
struct demux_device {
	struct demux_head head;
	struct demux_sock sock;
};

#endif
