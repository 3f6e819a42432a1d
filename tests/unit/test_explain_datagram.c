// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_explain_datagram.c - user/explain_datagram.c: no sentence says more than is
 * known.
 */
#include "explain.h"
#include "shown.h"

static struct demux_datagram datagram;

/* A datagram that socket #7 gets, which is bound to its address. */
static void make_it(void)
{
	struct demux_sock server =
		make_sock(1, S_CLOSE, make_ends("10.0.0.1", 80, "0.0.0.0", 0));

	sock.number = 7;
	server.flags = DEMUX_SOCK_UDP;
	datagram = make_datagram(5, make_ends("10.0.0.1", 80, "10.0.0.2", 4000),
				 server);
	datagram.payload = 5;
	datagram.have |= DEMUX_HAVE_SCORE;
	datagram.score = 2;
}

static char *said(const struct model_sock *by)
{
	static char text[EXPLAIN_MAX];
	struct event event = event_of(&datagram);

	event.sock = by;
	explain(text, &event, false);
	return text;
}

#define SAYS(part)  assert_non_null(strstr(said(&sock), part))
#define NEVER(part) assert_null(strstr(said(&sock), part))

static void test_claim(void **state)
{
	(void)state;
	make_it();
	SAYS("#7 has 10.0.0.1:80, and takes any sender's. Of those at");
	datagram.sock.ends.rport = 4000;
	memcpy(datagram.sock.ends.raddr, datagram.ends.raddr, 16);
	SAYS("#7 is connected to 10.0.0.2:4000, and takes no other's.");
	/* Since the lookup. */
	datagram.sock.ends.rport = 4001;
	SAYS("#7 is by now connected to 10.0.0.2:4001.");
	NEVER("all the same");
	datagram.have |= DEMUX_HAVE_GROUP;
	datagram.group_by = DEMUX_GROUP_BY_HASH;
	SAYS("#7 is by now connected to 10.0.0.2:4001.");
	datagram.group_by = DEMUX_GROUP_BY_BPF;
	SAYS("#7 is connected to 10.0.0.2:4001. The program of its "
	     "SO_REUSEPORT group may have chosen it all the same.");
	datagram.have &= ~DEMUX_HAVE_GROUP;
	NEVER("score");
	datagram.sock.ends.lport = 0;
	SAYS("#7 is closing.");
	NEVER("score");
}

/* connect() to port 0. */
static void test_host(void **state)
{
	(void)state;
	make_it();
	datagram.outcome = DEMUX_CONNECTED;
	datagram.sock.state = S_ESTABLISHED;
	memcpy(datagram.sock.ends.raddr, datagram.ends.raddr, 16);
	SAYS("#7 is connected to any port of 10.0.0.2, and takes no other's. "
	     "Of those at");
	datagram.sock.ends.raddr[3] = 3;
	SAYS("#7 is by now connected to any port of 10.0.0.3.");
	NEVER("score");
}

/* What an IPv6 socket keeps when it disconnects, and any that connects has for a
 * moment. */
static void test_disconnected(void **state)
{
	(void)state;
	make_it();
	datagram.ends = make_ends("fd00::1", 80, "fd00::2", 4000);
	datagram.sock.ends = make_ends("fd00::1", 80, "fd00::2", 0);
	SAYS("#7 has [fd00::1]:80 and the remote address fd00::2, and is not "
	     "connected. Of those at");
	datagram.sock.ends.raddr[15] = 3;
	SAYS("#7 has [fd00::1]:80 and the remote address fd00::3, and is not "
	     "connected.");
	NEVER("score");
	datagram.ends = make_ends("10.0.0.1", 80, "10.0.0.2", 4000);
	datagram.sock.ends = make_ends("::", 80, "::ffff:10.0.0.3", 0);
	SAYS("#7 has port 80 of every address, and takes any sender's.");
}

static void test_group(void **state)
{
	(void)state;
	make_it();
	datagram.have |= DEMUX_HAVE_GROUP | DEMUX_HAVE_INDEX;
	datagram.sock.flags |= DEMUX_SOCK_REUSEPORT;
	datagram.group_by = DEMUX_GROUP_BY_HASH;
	datagram.group_size = 3;
	datagram.group_index = 2;
	SAYS("Its score is 2");
	SAYS("one of 3 sockets of a SO_REUSEPORT group: index 2 was chosen");
	datagram.group_by = DEMUX_GROUP_BY_BPF;
	SAYS("index 2 was chosen, by bpf, or by the hash where that gave no "
	     "answer.");
	datagram.group_by = DEMUX_GROUP_BY_HASH;
	NEVER("none has a score above");
	datagram.have &= ~DEMUX_HAVE_INDEX;
	SAYS("It is one of 3 sockets of a SO_REUSEPORT group.");
	datagram.have |= DEMUX_HAVE_INDEX;
	datagram.group_size = 1;
	NEVER("SO_REUSEPORT");
	/* It has taken the option back. */
	datagram.group_size = 3;
	datagram.sock.flags = DEMUX_SOCK_UDP;
	NEVER("SO_REUSEPORT");
}

static void test_what_came(void **state)
{
	(void)state;
	make_it();
	datagram.segs = 2;
	SAYS("A datagram of 5 bytes, which came as 2 on the wire, from "
	     "10.0.0.2:4000 to port 80. ");
	datagram.have &= ~DEMUX_HAVE_LEN;
	datagram.segs = 1;
	SAYS("A datagram from 10.0.0.2:4000 to port 80. ");
	datagram.have &= ~DEMUX_HAVE_ADDRS;
	SAYS("A datagram. ");
	datagram.have |= DEMUX_HAVE_ADDRS;
	datagram.have &= ~DEMUX_HAVE_PORTS;
	SAYS("A datagram. ");
}

/* A score tells only of one that was looked for among others. */
static void test_ways(void **state)
{
	(void)state;
	make_it();
	SAYS(" Looked up among the sockets of its port: #7");
	datagram.have &= ~DEMUX_HAVE_SCORE;
	NEVER("score");
	datagram.have |= DEMUX_HAVE_SCORE;
	datagram.have &= ~DEMUX_HAVE_VIA;
	SAYS(" Its socket: #7");
	NEVER("score");
	datagram.notes = DEMUX_NOTE_GROUP;
	SAYS(" to many, at 10.0.0.1:80. Its socket: #7");
	datagram.have |= DEMUX_HAVE_VIA;
	SAYS(" Each socket that takes it gets a copy: #7");
	NEVER("score");
	datagram.via = DEMUX_EARLY_DEMUX;
	SAYS(" Looked up before routing (early demux): #7");
	datagram.via = DEMUX_LOOKUP;
	datagram.notes = DEMUX_NOTE_SK_LOOKUP;
	SAYS(" takes any sender's. The tables would not have given it: a BPF "
	     "program (sk_lookup), which is asked before, may have chosen it.");
	datagram.have |= DEMUX_HAVE_CHOOSER;
	datagram.sk_lookup = 77;
	SAYS(" given it: the BPF program (sk_lookup, id 77), which is asked ");
	datagram.notes |= DEMUX_NOTE_CHOOSERS;
	SAYS(" one of the BPF programs (sk_lookup, the first: id 77), which is ");
	datagram.have &= ~DEMUX_HAVE_CHOOSER;
	NEVER("score");
}

/* Who did is not told, though a bit of a segment's says so. */
static void test_assigned(void **state)
{
	(void)state;
	make_it();
	datagram.have |= DEMUX_HAVE_VIA | DEMUX_HAVE_ASSIGNED_BY;
	datagram.via = DEMUX_ASSIGNED;
	SAYS("It came with #7, which a rule or a program had assigned to it: "
	     "nothing was looked up.");
	NEVER("takes any sender's");
}

/* A recording may say that, and the name of no socket is printed. */
static void test_nameless(void **state)
{
	(void)state;
	make_it();
	datagram.have &= ~DEMUX_HAVE_SOCK;
	for (int via = DEMUX_EARLY_DEMUX; via <= DEMUX_ASSIGNED; via++) {
		datagram.via = via;
		assert_string_equal(said(NULL),
				    "A datagram of 5 bytes from 10.0.0.2:4000 "
				    "to port 80. Which socket got it was not "
				    "seen.");
	}
}

static void test_rest(void **state)
{
	(void)state;
	make_it();
	datagram.outcome = DEMUX_NOBODY;
	datagram.notes = DEMUX_NOTE_ICMP;
	SAYS("The lookup gave none: it is nobody's. The kernel set out to");
	datagram.outcome = DEMUX_BAD_DATAGRAM;
	datagram.notes = DEMUX_NOTE_BAD_CHECKSUM;
	SAYS("No socket got it. Its checksum is wrong or missing.");
	datagram.outcome = DEMUX_DENIED;
	datagram.notes = 0;
	SAYS(" It was for #7, and was refused before that got it.");
	assert_contains(said(NULL),
			" It was refused before any socket got it.");
	datagram.have &= ~DEMUX_HAVE_OUTCOME;
	SAYS(" No hook saw what became of it.");
}

static void test_fate(void **state)
{
	struct event event;
	char text[EXPLAIN_MAX];

	(void)state;
	make_it();
	datagram.predicted = DEMUX_PREDICTED_OUTCOME;
	SAYS(" Predicted, not seen: what became of it.");
	datagram.predicted = 0;
	NEVER("Predicted");
	datagram.segs = 3;
	datagram.segs_lost = 2;
	SAYS(" The socket takes them one by one; 2 of them it did not get.");
	datagram.notes = DEMUX_NOTE_ENCAP | DEMUX_NOTE_DROPPED;
	SAYS(" The socket serves an encapsulation, which looks into it. It was "
	     "dropped after the socket had got it.");
	NEVER("one by one");
	event = event_of(&datagram);
	event.drop_reason = "SOCKET_RCVBUFF";
	explain(text, &event, false);
	assert_contains(text, " The kernel dropped it as SOCKET_RCVBUFF.");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_claim),        cmocka_unit_test(test_host),
	cmocka_unit_test(test_disconnected), cmocka_unit_test(test_group),
	cmocka_unit_test(test_assigned),     cmocka_unit_test(test_nameless),
	cmocka_unit_test(test_what_came),    cmocka_unit_test(test_ways),
	cmocka_unit_test(test_rest),         cmocka_unit_test(test_fate),
};

RUN("explain_datagram", tests)
