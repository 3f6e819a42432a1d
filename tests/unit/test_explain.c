// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_explain.c - user/explain.c: what is said of every outcome, detail and
 * way, and that nothing is said of what is not known.
 */
#include "explained.h"

#include "explain_words.h"
#include "names.h"

static void test_what_came(void **state)
{
	struct event from;

	(void)state;
	make(DEMUX_MALFORMED);
	says(ACK_CAME " No socket got it.");
	seg->flags = 0;
	seg->payload = 1;
	says("A segment without flags with 1 byte from 10.0.0.2:50426 to port "
	     "12000 (window 502). No socket got it.");
	seg->flags = F_PSH | F_ACK;
	seg->payload = 13;
	seg->ends = make_ends("::1", 80, "fe80::2", 9);
	from = event();
	from.numbers = (struct event_numbers){ true, true, 5, 14 };
	explain(said, &from, false);
	assert_string_equal(said,
			    "PSH|ACK with 13 bytes from [fe80::2]:9 to port 80 "
			    "(seq 5, ack 14, window 502). No socket got it.");
	explain(said, &from, true);
	assert_contains(said, "(seq 1000, ack 2000, window 502)");
	seg->flags = F_SYN;
	explain(said, &from, true);
	assert_contains(said, "(seq 1000, window 502)");
	seg->have = DEMUX_HAVE_OUTCOME;
	says("A segment. No socket got it.");
	seg->have = DEMUX_HAVE_TCP;
	says("SYN with 13 bytes (window 502). No hook saw what became of it.");
	seg->have = DEMUX_HAVE_ADDRS;
	says("A segment. No hook saw what became of it.");
	seg->have = DEMUX_HAVE_PORTS;
	says("A segment. No hook saw what became of it.");
}

/* Of what does not fit, the end is left out. */
static void test_no_room(void **state)
{
	char text[] = "........!";
	struct words words = { text, text + 8 };

	(void)state;
	say(&words, "%s", "12345");
	say(&words, "%s", "67");
	assert_string_equal(text, "1234567");
	say(&words, "%s", "89");
	say(&words, "%s", "0");
	assert_memory_equal(text, "1234567\0!", 10);
}

static void test_no_arrival(void **state)
{
	struct demux_close close =
		make_close(1, DEMUX_UNHASHED, make_sock(9, S_CLOSE, ends()));
	struct event from = event_of(&close);

	(void)state;
	strcpy(said, "?");
	explain(said, &from, false);
	assert_string_equal(said, "");
}

static void test_established(void **state)
{
	(void)state;
	make_found(DEMUX_ESTABLISHED, S_ESTABLISHED);
	says(ACK_CAME FOUND "#3" EXACT ".");
	in_slot(0, 1);
	says(ACK_CAME FOUND "#3" EXACT ", in slot 3819 of 8192, alone.");
	in_slot(0, 4);
	ends_with(EXACT ", in slot 3819 of 8192, the first of 4.");
	in_slot(2, 4);
	ends_with(EXACT ", in slot 3819 of 8192, behind 2 of the 3 others.");
	why->have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN;
	ends_with(EXACT ", in slot 3819 of 8192.");
	why->have = DEMUX_WHY_SLOT | DEMUX_WHY_POSITION;
	ends_with(EXACT ", in slot 3819 of 8192.");
	why->have = DEMUX_WHY_CHAIN;
	ends_with(EXACT ".");
	seg->sock.state = S_CLOSE;
	says(ACK_CAME FOUND "#3 (CLOSE)" EXACT ".");
	seg->sock.state = 15; /* it has no name */
	says(ACK_CAME FOUND "#3" EXACT ".");
	seg->sock.state = S_CLOSE;
	seg->sock.ends.lport = 0; /* as a closing one has it */
	says(ACK_CAME FOUND "it went to #3 (CLOSE).");
}

static void test_ways(void **state)
{
	(void)state;
	make_found(DEMUX_ESTABLISHED, S_ESTABLISHED);
	seg->via = DEMUX_EARLY_DEMUX;
	says(ACK_CAME " Looked up before routing (early demux), among the "
		      "established sockets: #3" EXACT ".");
	seg->have &= ~DEMUX_HAVE_VIA;
	says(ACK_CAME " Its socket: #3" EXACT ".");
	seg->have |= DEMUX_HAVE_VIA;
	seg->via = DEMUX_ASSIGNED;
	says(ACK_CAME " It came with #3, which a rule or a program had "
		      "assigned to it: nothing was looked up.");
	seg->have |= DEMUX_HAVE_ASSIGNED_BY;
	seg->assigned_by = DEMUX_BY_TPROXY;
	ends_with(
		"#3, which TPROXY had assigned to it: nothing was looked up.");
	seg->assigned_by = DEMUX_BY_SK_ASSIGN;
	ends_with("#3, which a BPF program (bpf_sk_assign) had assigned to it: "
		  "nothing was looked up.");
	seg->assigned_by = 200;
	ends_with("which a rule or a program had assigned to it: nothing was "
		  "looked up.");
}

static void test_listener(void **state)
{
	(void)state;
	make(DEMUX_LISTENER);
	give_sock(&record.more, make_listener(9, "0.0.0.0", 12000));
	says(ACK_CAME NOT_FOUND ". #3, which listens, took it.");
	in_slot(0, 0);
	why->have &= ~DEMUX_WHY_POSITION;
	ends_with(NOT_FOUND ": their slot, 3819 of 8192, is empty. #3, which "
			    "listens, took it.");
	in_slot(0, 1);
	ends_with(": their slot, 3819 of 8192, has 1 other. #3, which listens, "
		  "took it.");
	in_slot(0, 2);
	ends_with(" has 2 others. #3, which listens, took it.");
	why->have = DEMUX_WHY_SLOT;
	ends_with(": their slot, 3819 of 8192, has none. #3, which listens, "
		  "took it.");
	seg->have |= DEMUX_HAVE_QUEUES;
	seg->accept_limit = 128;
	ends_with(
		" #3, which listens, took it. The accept queue of #3 has 0 of "
		"128, its SYN queue 0.");
	seg->accept_queue = 129;
	ends_with(" has 129 of 128, which is full, its SYN queue 0.");
	/* Whether another was looked for first is not known. */
	seg->have &= ~(DEMUX_HAVE_VIA | DEMUX_HAVE_QUEUES);
	says(ACK_CAME " #3, which listens, took it.");
	seg->have |= DEMUX_HAVE_VIA;
	seg->predicted = DEMUX_PREDICTED_OUTCOME | DEMUX_PREDICTED_SOCK;
	says(ACK_CAME " #3, which listens, took it. Predicted, not seen: "
		      "what became of it and the socket.");
	seg->predicted |= DEMUX_PREDICTED_PARENT;
	says(ACK_CAME " #3, which listens, took it. Predicted, not seen: "
		      "what became of it, the socket and the listener.");
	seg->predicted = DEMUX_PREDICTED_OUTCOME | DEMUX_PREDICTED_VIA | 1 << 7;
	says(ACK_CAME " #3, which listens, took it. Predicted, not seen: what "
		      "became of it and how the socket was found.");
	seg->predicted = 0;
	seg->via = DEMUX_ASSIGNED;
	says(ACK_CAME " It came with #3, which a rule or a program had "
		      "assigned to it: nothing was looked up.");
}

static void test_request(void **state)
{
	(void)state;
	make(DEMUX_REQUEST);
	says(ACK_CAME FOUND "it went to a request (a handshake under way).");
	give_sock(&record.more, make_sock(9, S_NEW_SYN_RECV, ends()));
	seg->have |= DEMUX_HAVE_QUEUES;
	ends_with(" The accept queue of its listener has 0 of 0, its SYN queue "
		  "0.");
	seg->have &= ~DEMUX_HAVE_QUEUES;
	says(ACK_CAME FOUND "request #3 (a handshake under way)" EXACT ".");
	give_parent(&record.more, make_listener(8, "0.0.0.0", 12000));
	seg->head.len = sizeof(record);
	says(ACK_CAME FOUND
	     "request #3 of listener #1 (a handshake under way)" EXACT ".");
	seg->have |= DEMUX_HAVE_QUEUES;
	seg->accept_limit = 5;
	seg->syn_queue = 1;
	ends_with(" The accept queue of #1 has 0 of 5, its SYN queue 1.");
	give_child(&record.more, make_sock(10, S_SYN_RECV, ends()));
	seg->head.len = sizeof(record);
	set_detail(DEMUX_CHILD);
	ends_with(" queue 1. #7 is born of it, with the same local port and "
		  "this remote endpoint.");
	record.more.child.ends.lport = 1;
	ends_with(" #7 is born of it.");
}

static void test_time_wait(void **state)
{
	(void)state;
	make(DEMUX_TIME_WAIT);
	says(ACK_CAME FOUND "it went to what is left of a closed connection.");
	give_sock(&record.more, make_sock(9, S_TIME_WAIT, ends()));
	says(ACK_CAME FOUND
	     "#3 (TIME_WAIT, what is left of a closed connection)" EXACT ".");
	/* The ends that a record has are worth nothing without these. */
	seg->have &= ~DEMUX_HAVE_SOCK;
	says(ACK_CAME FOUND "it went to what is left of a closed connection.");
	seg->have = (seg->have | DEMUX_HAVE_SOCK) & ~DEMUX_HAVE_PORTS;
	ends_with(
		"it went to #3 (TIME_WAIT, what is left of a closed connection).");
	seg->have |= DEMUX_HAVE_PORTS;
	seg->sock.substate = S_FIN_WAIT2;
	says(ACK_CAME FOUND "#3 (FIN_WAIT2, what is left of a connection that "
			    "the other end has not closed yet)" EXACT ".");
	give_parent(&record.more, make_listener(8, "0.0.0.0", 12000));
	seg->head.len = sizeof(record);
	set_detail(DEMUX_REOPENED);
	ends_with(" The SYN begins another one: listener #1 took it next.");
}

static void test_nobody_and_refused(void **state)
{
	struct event from;

	(void)state;
	make(DEMUX_NONE);
	seg->notes = DEMUX_NOTE_RESET;
	says(ACK_CAME NOT_FOUND
	     ". It is nobody's. It was answered with a reset.");
	set_detail(DEMUX_SILENT);
	ends_with(" It is nobody's. No reset answers it.");
	make(DEMUX_REFUSED);
	says(ACK_CAME " It was dropped before any socket got it.");
	give_sock(&record.more, make_sock(9, S_ESTABLISHED, ends()));
	says(ACK_CAME " It was for #3, and was dropped before that got it.");
	from = event();
	from.drop_reason = "TCP_MINTTL";
	explain(said, &from, false);
	assert_contains(said, " The kernel dropped it as TCP_MINTTL.");
	make(DEMUX_MALFORMED);
	seg->notes = DEMUX_NOTE_CHECKSUM;
	ends_with(" No socket got it. Its checksum is wrong.");
	set_detail(DEMUX_BAD_CHECKSUM);
	ends_with(" No socket got it. Its checksum is wrong.");
}

static void test_repeated(void **state)
{
	(void)state;
	make_found(DEMUX_ESTABLISHED, S_ESTABLISHED);
	seg->notes = DEMUX_NOTE_REPEATED;
	ends_with(" It was looked up again, as the request was gone.");
	set_detail(DEMUX_STOLEN);
	ends_with(EXACT ". Another CPU had just made the connection, so it was "
			"looked up again.");
	set_detail(DEMUX_LISTENER_CLOSED);
	ends_with(EXACT ". The listener had just closed, so it was looked up "
			"again.");
	set_detail(DEMUX_TAKEN_UP);
	ends_with(" It was processed at once. It was looked up again, as the "
		  "request was gone.");
	seg->detail = DEMUX_STOLEN;
	seg->have &= ~DEMUX_HAVE_DETAIL;
	ends_with(EXACT ". It was looked up again, as the request was gone.");
}

static void test_details(void **state)
{
	static const char *const sentences[] = {
		[DEMUX_TAKEN_UP] = "It was processed at once.",
		[DEMUX_BACKLOG] = "A process was at work on the socket, so the "
				  "segment waits in its backlog.",
		[DEMUX_BACKLOG_FULL] = "A process was at work on the socket, "
				       "and its backlog was full: dropped.",
		[DEMUX_REQUEST_MADE] = "It made a request, a half-open "
				       "connection, and answers with SYN|ACK.",
		[DEMUX_SYN_DROPPED] = "It dropped the SYN.",
		[DEMUX_COOKIE_SENT] = "It answered with a SYN cookie and keeps "
				      "nothing of the SYN.",
		[DEMUX_COOKIE_ACCEPTED] = "The acknowledgement number is a "
					  "valid SYN cookie.",
		[DEMUX_IGNORED] = "It ignored the segment.",
		[DEMUX_SYN_REPEATED] = "The SYN had come before.",
		[DEMUX_BAD_ACK] = "It does not acknowledge the SYN|ACK that "
				  "was sent.",
		[DEMUX_KEPT] = "Nothing was made of it, and the request stays.",
		[DEMUX_SWALLOWED] = "The segment was swallowed.",
		[DEMUX_ACKED] = "It was answered with an ACK.",
		[DEMUX_BY_FILTER] = "A socket filter or a security module "
				    "refused it.",
		[DEMUX_BY_POLICY] = "An IPsec policy refused it.",
		[DEMUX_BY_MD5] = "Its TCP-MD5 signature is missing, wrong or "
				 "not expected.",
		[DEMUX_BY_AO] = "Its TCP-AO signature is missing, wrong or "
				"not expected.",
		[DEMUX_BY_TTL] = "Its TTL is below the socket's minimum.",
		[DEMUX_BAD_HEADER] = "Its TCP header is cut or impossible.",
		[DEMUX_ENDED] = "This reset ended the request.",
	};
	char expected[EXPLAIN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (!sentences[i])
			continue;
		make(DEMUX_MALFORMED);
		seg->detail = i;
		says(ACK_CAME " No socket got it.");
		set_detail(i);
		snprintf(expected, sizeof(expected),
			 ACK_CAME " No socket got it. %s", sentences[i]);
		says(expected);
	}
}

/* Each has its own sentence, or is said in another; none is cut. */
static void test_every_detail(void **state)
{
	char bare[EXPLAIN_MAX];
	struct event from;

	(void)state;
	make_found(DEMUX_ESTABLISHED, S_ESTABLISHED);
	from = event();
	explain(bare, &from, false);
	for (uint8_t detail = 1; names_detail(detail); detail++) {
		set_detail(detail);
		from = event();
		explain(said, &from, false);
		if (detail == DEMUX_CHILD || detail == DEMUX_REOPENED ||
		    detail == DEMUX_BY_OTHER)
			assert_string_equal(said, bare);
		else
			assert_true(strlen(said) > strlen(bare) + 10);
		assert_int_equal(said[strlen(said) - 1], '.');
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_what_came),
	cmocka_unit_test(test_no_room),
	cmocka_unit_test(test_no_arrival),
	cmocka_unit_test(test_established),
	cmocka_unit_test(test_ways),
	cmocka_unit_test(test_listener),
	cmocka_unit_test(test_request),
	cmocka_unit_test(test_time_wait),
	cmocka_unit_test(test_nobody_and_refused),
	cmocka_unit_test(test_repeated),
	cmocka_unit_test(test_details),
	cmocka_unit_test(test_every_detail),
};

RUN("explain", tests)
