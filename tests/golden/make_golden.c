// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_golden.c - writes the recordings that no kernel can be asked for, always
 * the same bytes, into the directory named on the command line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "make.h"

#define MS 1000000ull

static FILE *file;
static uint64_t now_ns;
static uint64_t emitted;

static void put(const void *bytes, size_t len)
{
	if (fwrite(bytes, len, 1, file) != 1)
		exit(1);
}

/* Begins the recording of that name. */
static void open_recording(const char *name, struct recording_head head)
{
	char path[100];

	snprintf(path, sizeof(path), "%s.rec", name);
	file = fopen(path, "we");
	if (!file) {
		perror(path);
		exit(1);
	}
	now_ns = 1000 * MS;
	emitted = 0;
	put(&head, sizeof(head));
}

static uint64_t later(void)
{
	return now_ns += 3 * MS + 7001;
}

static void put_segment(struct demux_segment_more more)
{
	emitted++;
	put(&more, more.segment.head.len);
}

static void put_accept(struct demux_accept record)
{
	put(&record, sizeof(record));
}

static void put_close(uint64_t id, uint8_t state, struct demux_ends ends)
{
	struct demux_sock sock = make_sock(id, state, ends);
	struct demux_close record = make_close(later(), DEMUX_UNHASHED, sock);

	put(&record, sizeof(record));
	record.how = DEMUX_DESTROYED;
	record.head.mono_ns += 1000;
	put(&record, sizeof(record));
}

static void close_recording(struct demux_end end)
{
	put(&end, end.head.len);
	fclose(file);
}

static void put_data(uint64_t id, struct demux_ends ends, uint32_t payload)
{
	struct demux_segment_more more = make_match(later(), id, ends);

	more.segment.payload = payload;
	more.segment.flags = payload ? F_PSH | F_ACK : F_ACK;
	put_segment(more);
}

/* SYN to the listener, ACK to the request: @id is born, and accepted. */
static void put_handshake(struct demux_sock listener, uint64_t id, int fd,
			  const char *comm, struct demux_ends seg,
			  struct demux_ends sock)
{
	struct demux_segment_more more =
		make_segment(later(), DEMUX_LISTENER, seg);

	more.segment.flags = F_SYN;
	more.segment.ack = 0;
	give_sock(&more, listener);
	put_segment(more);
	more = make_segment(later(), DEMUX_REQUEST, seg);
	give_sock(&more, make_sock(id + 5000, S_NEW_SYN_RECV, sock));
	give_parent(&more, listener);
	give_child(&more, make_sock(id, S_SYN_RECV, sock));
	put_segment(more);
	put_accept(make_accept(later(), 812, comm, fd, listener.id,
			       make_sock(id, S_ESTABLISHED, sock)));
}

/* --- the recordings ---------------------------------------------------------- */

static void make_clients(void)
{
	struct demux_sock listener = make_listener(90, "0.0.0.0", 80);
	struct demux_listen listen =
		make_listen(1000 * MS, 812, "web", listener);
	struct demux_ends ends;

	open_recording("clients", make_head());
	put(&listen, sizeof(listen));
	for (int i = 0; i < 3; i++) {
		ends = make_ends("192.0.2.1", 80, "198.51.100.7", 40001 + i);
		put_handshake(listener, 101 + i, 4 + i, "web", ends, ends);
	}
	for (int i = 0; i < 6; i++) {
		ends.rport = 40001 + i % 3;
		put_data(101 + i % 3, ends, 100 * i);
	}
	for (int i = 0; i < 3; i++) {
		ends.rport = 40001 + i;
		put_close(101 + i, 9, ends);
	}
	put_close(90, S_LISTEN, listener.ends);
	close_recording(make_end(later(), emitted, 25));
}

static void make_families(void)
{
	struct demux_sock listener = make_listener(90, "::", 443);
	struct demux_ends v6 = make_ends("2001:db8::1", 443, "2001:db8::2", 1);
	struct demux_ends v4 = make_ends("192.0.2.1", 443, "192.0.2.2", 65535);
	struct demux_ends mapped =
		make_ends("::ffff:192.0.2.1", 443, "::ffff:192.0.2.2", 65535);
	struct demux_segment_more more;

	open_recording("families", make_head());
	put_handshake(listener, 101, 8, "web6", v6, v6);
	put_handshake(listener, 102, 9, "web6", v4, mapped);
	more = make_match(later(), 102, v4);
	more.segment.sock.ends = mapped;
	more.segment.via = DEMUX_EARLY_DEMUX;
	more.segment.segs = 44;
	more.segment.payload = 63712;
	put_segment(more);
	more = make_segment(later(), DEMUX_NONE,
			    make_ends("fe80::1", 22, "fe80::2", 9));
	more.segment.notes = DEMUX_NOTE_RESET;
	put_segment(more);
	close_recording(make_end(later(), emitted, 0));
}

static void put_before(uint32_t pid, const char *comm, int fd,
		       uint64_t listener, struct demux_sock sock)
{
	struct demux_accept record =
		make_before(later(), pid, comm, fd, listener, sock);

	put(&record, sizeof(record));
}

/* A server of two processes that was there before, and what it had. */
static void make_older(void)
{
	struct demux_sock listener = make_listener(90, "0.0.0.0", 80);
	struct demux_sock other = make_listener(5001, "::", 443);
	struct demux_ends ends =
		make_ends("192.0.2.1", 80, "198.51.100.7", 40001);
	struct demux_ends mapped =
		make_ends("::ffff:192.0.2.1", 443, "::ffff:192.0.2.2", 65535);
	struct demux_segment_more more;

	open_recording("older", make_head());
	put_before(812, "web", 6, 0, listener);
	put_before(813, "web-worker", 6, 0, listener);
	put_before(813, "web-worker", 9, 0,
		   make_sock(101, S_ESTABLISHED, ends));
	ends.rport++;
	put_before(0, "", 0, 90, make_sock(102, S_ESTABLISHED, ends));
	ends.rport++;
	put_before(0, "", 0, 90, make_sock(5103, S_NEW_SYN_RECV, ends));
	ends.rport++;
	put_before(0, "", 0, 0, make_sock(104, S_TIME_WAIT, ends));
	/* Where there is no iterator over the tables. */
	other.flags = DEMUX_SOCK_BY_ENDS;
	put_before(900, "tls", 3, 0, other);
	other = make_sock(5002, S_ESTABLISHED, mapped);
	other.flags = DEMUX_SOCK_BY_ENDS;
	put_before(900, "tls", 4, 0, other);
	ends.rport = 40001;
	put_data(101, ends, 10);
	ends.rport++;
	put_data(102, ends, 20);
	put_accept(make_accept(later(), 813, "web-worker", 10, 90,
			       make_sock(102, S_ESTABLISHED, ends)));
	put_data(102, ends, 30);
	more = make_match(later(), 201,
			  make_ends("192.0.2.1", 443, "192.0.2.2", 65535));
	more.segment.sock.ends = mapped;
	put_segment(more);
	put_close(101, 9, make_ends("192.0.2.1", 80, "198.51.100.7", 40001));
	put_close(90, S_LISTEN, listener.ends);
	close_recording(make_end(later(), emitted, 0));
}

#include "make_golden_why.h"

static void make_outcomes(void)
{
	struct demux_ends ends = make_ends("192.0.2.1", 80, "192.0.2.9", 5555);
	struct demux_sock listener = make_listener(90, "192.0.2.1", 80);
	struct demux_segment_more more;

	open_recording("outcomes", make_head());
	more = make_segment(later(), DEMUX_TIME_WAIT, ends);
	more.segment.flags = F_FIN | F_ACK;
	give_sock(&more, make_sock(300, S_TIME_WAIT, ends));
	put_segment(more);
	more.segment.head.mono_ns = later();
	more.segment.flags = F_SYN;
	give_parent(&more, listener);
	put_segment(more);
	more = make_segment(later(), DEMUX_REFUSED, ends);
	put_segment(more);
	give_sock(&more, make_sock(101, S_ESTABLISHED, ends));
	put_segment(more);
	more = make_segment(later(), DEMUX_MALFORMED, ends);
	more.segment.notes = DEMUX_NOTE_CHECKSUM;
	put_segment(more);
	more.segment.have = DEMUX_HAVE_OUTCOME | DEMUX_HAVE_NETNS;
	more.segment.notes = 0;
	more.segment.head.mono_ns = later();
	put_segment(more);
	more = make_segment(later(), DEMUX_LISTENER, ends);
	give_sock(&more, make_listener(91, "127.0.0.1", 8080));
	more.segment.via = DEMUX_ASSIGNED;
	more.segment.notes = DEMUX_NOTE_REPEATED;
	put_segment(more);
	close_recording(make_end(later(), emitted, 0));
}

/* The ring was too small, a hook was not there, the guard kept some out. */
static void make_lost(void)
{
	struct recording_head head = make_head();
	struct demux_ends ends = make_ends("192.0.2.1", 80, "192.0.2.9", 5555);
	struct demux_end end;

	strcpy(head.missing, "tcp_check_req tcp_v6_send_reset");
	open_recording("lost", head);
	put_data(101, ends, 1);
	end = make_end(later(), emitted, 10);
	end.counters.seen += 7;
	end.counters.lost = 4;
	end.counters.lost_other = 3;
	end.counters.skipped = 2;
	end.counters.not_host = 6;
	end.counters.stuck = 1;
	end.unseen = 5;
	close_recording(end);
}

static void make_cut(void)
{
	struct demux_ends ends = make_ends("192.0.2.1", 80, "192.0.2.9", 5555);
	struct demux_segment_more half;

	open_recording("cut", make_head());
	put_data(101, ends, 1);
	put_data(101, ends, 2);
	half = make_match(later(), 101, ends);
	put(&half, 20);
	fclose(file);
}

/* What must never be: one segment of the second client's went to the first. */
static void make_misdelivered(void)
{
	struct demux_ends one = make_ends("192.0.2.1", 80, "192.0.2.9", 5001);
	struct demux_ends two = make_ends("192.0.2.1", 80, "192.0.2.9", 5002);
	struct demux_segment_more more;

	open_recording("misdelivered", make_head());
	put_data(101, one, 10);
	put_data(102, two, 20);
	more = make_match(later(), 101, two);
	more.segment.sock.ends = one;
	put_segment(more);
	more = make_segment(later(), DEMUX_NONE, two);
	more.segment.have &= ~DEMUX_HAVE_OUTCOME;
	put_segment(more);
	close_recording(make_end(later(), emitted, 0));
}

/* A process may call itself anything, and so may a recording's head. */
static void make_hostile(void)
{
	static const char *const names[] = {
		"\033[2J\033]0;x\007",
		"a\"b\\c\n,\"fd\":1",
		"\xff\xc0\x80\xed\xa0\x80z",
		"\xc2\x9b"
		"31m\x7f",
		"sixteen-bytes-xy",
	};
	struct recording_head head = make_head();
	struct demux_ends ends = make_ends("192.0.2.1", 80, "192.0.2.9", 5001);
	struct demux_accept accept;

	strcpy(head.kernel, "6.12\033[31m\"\n");
	memset(head.backend, '\033', sizeof(head.backend) - 1);
	open_recording("hostile", head);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ends.rport++;
		accept = make_accept(later(), 4194304, "", 2147483647, 0,
				     make_sock(101 + i, S_ESTABLISHED, ends));
		memcpy(accept.comm, names[i], strnlen(names[i], 16));
		put_accept(accept);
		put_data(101 + i, ends, UINT32_MAX);
	}
	close_recording(make_end(later(), emitted, 0));
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "make_golden: no directory: %s\n",
			strerror(errno));
		return 1;
	}
	make_clients();
	make_families();
	make_older();
	make_outcomes();
	make_why();
	make_lost();
	make_cut();
	make_misdelivered();
	make_hostile();
	return 0;
}
