// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain.c - why it was this socket, in short plain sentences. Last stage.
 *
 * Each sentence says what was seen, or what follows from it by the way the
 * kernel looks a segment up; where something is not known there is none.
 */
#include "explain_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "model.h"
#include "names.h"
#include "tcp_states.h"
#include "text_value.h"

void say(struct words *words, const char *format, ...)
{
	size_t room = words->end - words->to;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(words->to, room, format, args);
	va_end(args);
	if (len > 0)
		words->to += (size_t)len < room ? (size_t)len : room - 1;
}

/* --- names ------------------------------------------------------------------- */

const char *explain_sock(char to[EXPLAIN_NAME_MAX],
			 const struct model_sock *sock)
{
	if (!sock)
		return strcpy(to, "one not met so far");
	to[0] = '#';
	names_number(to + 1, sock->number);
	return to;
}

const char *explain_end(char to[EXPLAIN_NAME_MAX], const unsigned char *addr,
			int family, unsigned int port)
{
	char text[NAMES_ADDR_MAX];

	names_addr(text, addr, family);
	snprintf(to, EXPLAIN_NAME_MAX, family == 6 ? "[%s]:%u" : "%s:%u", text,
		 port);
	return to;
}

const char *explain_field(char to[EXPLAIN_NAME_MAX], const char *key,
			  const struct event *event)
{
	const struct field *field = fields_find(key);
	char text[TEXT_VALUE_MAX];

	if (!field || !text_value(text, field, event))
		return NULL;
	snprintf(to, EXPLAIN_NAME_MAX, "%.*s", EXPLAIN_NAME_MAX - 1, text);
	return to;
}

/* --- what came --------------------------------------------------------------- */

static void say_numbers(struct words *words, const struct event *event,
			bool absolute)
{
	char seq[EXPLAIN_NAME_MAX], ack[EXPLAIN_NAME_MAX];
	const char *has_seq =
		explain_field(seq, absolute ? "seq" : "seq_rel", event);
	const char *has_ack =
		explain_field(ack, absolute ? "ack" : "ack_rel", event);

	say(words, " (");
	if (has_seq)
		say(words, "seq %s, ", seq);
	if (has_ack && event->segment->flags & 0x10)
		say(words, "ack %s, ", ack);
	say(words, "window %u)", event->segment->window);
}

static void say_what_came(struct words *words, const struct event *event,
			  bool absolute)
{
	const struct demux_segment *seg = event->segment;
	char flags[NAMES_FLAGS_MAX], remote[EXPLAIN_NAME_MAX];
	const uint32_t ends = DEMUX_HAVE_ADDRS | DEMUX_HAVE_PORTS;

	if (seg->have & DEMUX_HAVE_TCP) {
		names_flags(flags, seg->flags);
		say(words, "%s", *flags ? flags : "A segment without flags");
		if (seg->payload)
			say(words, " with %u byte%s", seg->payload,
			    seg->payload == 1 ? "" : "s");
	} else {
		say(words, "A segment");
	}
	if ((seg->have & ends) == ends)
		say(words, " from %s to port %u",
		    explain_end(remote, seg->ends.raddr, seg->ends.family,
				seg->ends.rport),
		    seg->ends.lport);
	if (seg->have & DEMUX_HAVE_TCP)
		say_numbers(words, event, absolute);
	say(words, ".");
}

/* --- the outcomes ------------------------------------------------------------ */

static void say_queue(struct words *words, const struct event *event,
		      const char *of)
{
	const struct demux_segment *seg = event->segment;

	if (!(seg->have & DEMUX_HAVE_QUEUES))
		return;
	say(words, " The accept queue of %s has %u of %u", of,
	    seg->accept_queue, seg->accept_limit);
	/* sk_acceptq_is_full() */
	if (seg->accept_queue > seg->accept_limit)
		say(words, ", which is full");
	say(words, ", its SYN queue %u.", seg->syn_queue);
}

static void on_established(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX], what[2 * EXPLAIN_NAME_MAX];
	unsigned int state = event->segment->sock.state;

	explain_sock(name, event->sock);
	if (state == TCP_ESTABLISHED || !names_state(state))
		snprintf(what, sizeof(what), "%s", name);
	else
		snprintf(what, sizeof(what), "%s (%s)", name,
			 names_state(state));
	explain_found(words, event, what);
}

static void on_listener(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX];

	explain_sock(name, event->sock);
	if (event_via(event) == DEMUX_ASSIGNED) {
		explain_assigned(words, event, name);
	} else {
		explain_not_found(words, event);
		say(words, " %s, which listens, took it.", name);
	}
	explain_group(words, event);
	say_queue(words, event, name);
}

static void on_request(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX], parent[EXPLAIN_NAME_MAX];
	char what[4 * EXPLAIN_NAME_MAX] = "a request (a handshake under way)";

	explain_sock(parent, event->parent);
	if (event->sock)
		snprintf(what, sizeof(what),
			 "request %s%s%s (a handshake under way)",
			 explain_sock(name, event->sock),
			 event->parent ? " of listener " : "",
			 event->parent ? parent : "");
	explain_found(words, event, what);
	say_queue(words, event, event->parent ? parent : "its listener");
}

static void on_time_wait(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX];
	char what[2 * EXPLAIN_NAME_MAX] = "what is left of a closed connection";

	if (event->sock)
		snprintf(what, sizeof(what), "%s (%s)",
			 explain_sock(name, event->sock),
			 event_met(event)->substate == TCP_FIN_WAIT2 ?
				 "FIN_WAIT2, what is left of a connection that "
				 "the other end has not closed yet" :
				 "TIME_WAIT, what is left of a closed "
				 "connection");
	explain_found(words, event, what);
	if (event->with_parent)
		say(words,
		    " The SYN begins another one: listener %s took it next.",
		    explain_sock(name, event->parent));
}

static void on_none(struct words *words, const struct event *event)
{
	explain_not_found(words, event);
	say(words, " It is nobody's.");
}

static void on_refused(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX];

	if (event->sock)
		say(words,
		    " It was for %s, and was dropped before that got it.",
		    explain_sock(name, event->sock));
	else
		say(words, " It was dropped before any socket got it.");
}

static void on_malformed(struct words *words, const struct event *event)
{
	(void)event;
	say(words, " No socket got it.");
}

/* --- what became of it ------------------------------------------------------- */

static void say_detail(struct words *words, const struct event *event)
{
	static const char *const meanings[] = {
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
		[DEMUX_STOLEN] = "Another CPU had just made the connection, "
				 "so it was looked up again.",
		[DEMUX_LISTENER_CLOSED] = "The listener had just closed, so "
					  "it was looked up again.",
		[DEMUX_KEPT] = "Nothing was made of it, and the request stays.",
		[DEMUX_SWALLOWED] = "The segment was swallowed.",
		[DEMUX_ACKED] = "It was answered with an ACK.",
		[DEMUX_RESET] = "It was answered with a reset.",
		[DEMUX_SILENT] = "No reset answers it.",
		[DEMUX_BY_FILTER] = "A socket filter or a security module "
				    "refused it.",
		[DEMUX_BY_POLICY] = "An IPsec policy refused it.",
		[DEMUX_BY_MD5] = "Its TCP-MD5 signature is missing, wrong or "
				 "not expected.",
		[DEMUX_BY_AO] = "Its TCP-AO signature is missing, wrong or "
				"not expected.",
		[DEMUX_BY_TTL] = "Its TTL is below the socket's minimum.",
		[DEMUX_BAD_HEADER] = "Its TCP header is cut or impossible.",
		[DEMUX_BAD_CHECKSUM] = "Its checksum is wrong.",
		[DEMUX_ENDED] = "This reset ended the request.",
	};
	const struct demux_segment *seg = event->segment;

	if (seg->have & DEMUX_HAVE_DETAIL &&
	    seg->detail < sizeof(meanings) / sizeof(meanings[0]) &&
	    meanings[seg->detail])
		say(words, " %s", meanings[seg->detail]);
	else if (seg->notes & DEMUX_NOTE_RESET)
		say(words, " %s", meanings[DEMUX_RESET]);
	if (!(seg->have & DEMUX_HAVE_DETAIL) &&
	    seg->notes & DEMUX_NOTE_CHECKSUM)
		say(words, " %s", meanings[DEMUX_BAD_CHECKSUM]);
}

static void say_child(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX];

	if (!event->with_child)
		return;
	say(words, " %s is born of it", explain_sock(name, event->child));
	if (same_ends(&event->segment->ends, &event->with_child->ends))
		say(words, ", with the same local port and this remote "
			   "endpoint");
	say(words, ".");
}

void explain_predicted(struct words *words, unsigned int predicted)
{
	static const struct {
		unsigned int bit;
		const char *what;
	} parts[] = {
		{ DEMUX_PREDICTED_OUTCOME, "what became of it" },
		{ DEMUX_PREDICTED_SOCK, "the socket" },
		{ DEMUX_PREDICTED_PARENT, "the listener" },
		{ DEMUX_PREDICTED_VIA, "how the socket was found" },
	};
	const char *before = " Predicted, not seen: ";

	/* Others a recording may have. */
	predicted &= DEMUX_PREDICTED_OUTCOME | DEMUX_PREDICTED_SOCK |
		     DEMUX_PREDICTED_PARENT | DEMUX_PREDICTED_VIA;
	if (!predicted)
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!(predicted & parts[i].bit))
			continue;
		say(words, "%s%s", before, parts[i].what);
		predicted &= ~parts[i].bit;
		before = predicted & (predicted - 1) ? ", " : " and ";
	}
	say(words, ".");
}

static void say_rest(struct words *words, const struct event *event)
{
	const struct demux_segment *seg = event->segment;

	if (event->drop_reason)
		say(words, " The kernel dropped it as %s.", event->drop_reason);
	if (seg->notes & DEMUX_NOTE_REPEATED &&
	    !(seg->have & DEMUX_HAVE_DETAIL &&
	      (seg->detail == DEMUX_STOLEN ||
	       seg->detail == DEMUX_LISTENER_CLOSED)))
		say(words, " It was looked up again, as the request was gone.");
	explain_predicted(words, seg->predicted);
}

void explain(char to[EXPLAIN_MAX], const struct event *event, bool absolute)
{
	static void (*const on[])(struct words *, const struct event *) = {
		[DEMUX_ESTABLISHED] = on_established,
		[DEMUX_LISTENER] = on_listener,
		[DEMUX_REQUEST] = on_request,
		[DEMUX_TIME_WAIT] = on_time_wait,
		[DEMUX_NONE] = on_none,
		[DEMUX_REFUSED] = on_refused,
		[DEMUX_MALFORMED] = on_malformed,
	};
	struct words words = { to, to + EXPLAIN_MAX };

	*to = '\0';
	if (event_is_datagram(event))
		explain_datagram(&words, event);
	if (event->head->type != DEMUX_SEGMENT)
		return;
	say_what_came(&words, event, absolute);
	if (!(event->segment->have & DEMUX_HAVE_OUTCOME)) {
		say(&words, " No hook saw what became of it.");
		return;
	}
	on[event->segment->outcome](&words, event);
	say_detail(&words, event);
	say_child(&words, event);
	say_rest(&words, event);
}

size_t explain_line(const char *text, size_t width)
{
	size_t len = strlen(text), end = width;

	if (len <= width)
		return len;
	while (end && text[end] != ' ')
		end--;
	return end ? end : strcspn(text, " ");
}
