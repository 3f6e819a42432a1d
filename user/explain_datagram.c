// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_datagram.c - why it was this socket of UDP, in the same plain
 * sentences. Last stage.
 */
#include "explain_words.h"

#include "classify.h"
#include "classify_datagram.h"
#include "names.h"

static void say_what_came(struct words *words, const struct event *event)
{
	const struct demux_datagram *to = event->datagram;
	const struct demux_ends *ends = &to->ends;
	const uint32_t both = DEMUX_HAVE_ADDRS | DEMUX_HAVE_PORTS;
	char remote[EXPLAIN_NAME_MAX], local[EXPLAIN_NAME_MAX];

	say(words, "A datagram");
	if (to->have & DEMUX_HAVE_LEN)
		say(words, " of %u byte%s", to->payload,
		    to->payload == 1 ? "" : "s");
	if (to->segs > 1)
		say(words, ", which came as %u on the wire,", to->segs);
	if ((to->have & both) == both) {
		explain_end(remote, ends->raddr, ends->family, ends->rport);
		explain_end(local, ends->laddr, ends->family, ends->lport);
		if (to->notes & DEMUX_NOTE_GROUP)
			say(words, " from %s to many, at %s", remote, local);
		else
			say(words, " from %s to port %u", remote, ends->lport);
	}
	say(words, ".");
}

static void say_way(struct words *words, const struct event *event)
{
	unsigned int via = event_via(event);

	if (via == DEMUX_EARLY_DEMUX)
		say(words, " Looked up before routing (early demux):");
	else if (via == DEMUX_LOOKUP &&
		 event->datagram->notes & DEMUX_NOTE_GROUP)
		say(words, " Each socket that takes it gets a copy:");
	else if (via == DEMUX_LOOKUP)
		say(words, " Looked up among the sockets of its port:");
	else
		say(words, " Its socket:");
}

/* connect() takes port 0, which is any. */
static void say_peer(struct words *words, const struct demux_datagram *to,
		     bool is_peer)
{
	const struct demux_ends *at = &to->sock.ends;
	bool is_since = !is_peer && !may_be_by_program(to);
	char end[EXPLAIN_NAME_MAX];

	if (at->rport)
		explain_end(end, at->raddr, at->family, at->rport);
	else
		names_addr(end, at->raddr, at->family);
	say(words, " is %sconnected to %s%s%s.", is_since ? "by now " : "",
	    at->rport ? "" : "any port of ", end,
	    is_peer ? ", and takes no other's" : "");
	if (!is_peer && !is_since)
		say(words, " The program of its SO_REUSEPORT group may have "
			   "chosen it all the same.");
}

/* What the socket asks of a datagram, as it is a moment after the lookup. Returns
 * if that is what it was looked up by. */
static bool say_claim(struct words *words, const struct demux_datagram *to)
{
	const struct demux_ends *at = &to->sock.ends;
	char end[EXPLAIN_NAME_MAX], addr[NAMES_ADDR_MAX];

	if (!at->lport) {
		say(words, " is closing.");
		return false;
	}
	if (is_connected(&to->sock)) {
		bool is_peer = is_its_peer(&to->ends, &to->sock);

		say_peer(words, to, is_peer);
		return is_peer;
	}
	if (has_peer_addr(to->ends.family, &to->sock)) {
		names_addr(addr, at->raddr, at->family);
		say(words,
		    " has %s and the remote address %s, and is not connected.",
		    explain_end(end, at->laddr, at->family, at->lport), addr);
		return same_addr(to->ends.raddr, to->ends.family, at->raddr,
				 at->family);
	}
	if (is_any(at->laddr))
		say(words,
		    " has port %u of every address, and takes any "
		    "sender's.",
		    at->lport);
	else
		say(words, " has %s, and takes any sender's.",
		    explain_end(end, at->laddr, at->family, at->lport));
	return true;
}

/* A group ends the search: it is asked as soon as one of it has a score above
 * those before it. */
static void say_score(struct words *words, const struct event *event)
{
	const struct demux_datagram *to = event->datagram;
	char parts[EXPLAIN_NAME_MAX];

	if (!(to->have & DEMUX_HAVE_SCORE))
		return;
	if (to->have & DEMUX_HAVE_GROUP)
		say(words, " Its score is %u", to->score);
	else /* of every address they are looked at where that gives none */
		say(words,
		    " Of those at that address that could take it none has a "
		    "score above its %u",
		    to->score);
	if (explain_field(parts, "score_parts", event))
		say(words, " (%s)", parts);
	say(words, ".");
}

static void say_group(struct words *words, const struct event *event)
{
	const struct demux_datagram *to = event->datagram;
	char by[EXPLAIN_NAME_MAX];

	if (!is_by_group(to) || to->group_size < 2)
		return;
	say(words, " It is one of %u sockets of a SO_REUSEPORT group",
	    to->group_size);
	if (explain_field(by, "group_by", event))
		say(words, ": index %u was chosen, by %s%s", to->group_index,
		    by,
		    to->group_by == DEMUX_GROUP_BY_BPF ?
			    ", or by the hash where that gave no answer" :
			    "");
	say(words, ".");
}

static void on_match(struct words *words, const struct event *event)
{
	const struct demux_datagram *to = event->datagram;
	char name[EXPLAIN_NAME_MAX], program[NAMES_PROGRAM_MAX];

	if (!event->sock) {
		say(words, " Which socket got it was not seen.");
		return;
	}
	explain_sock(name, event->sock);
	if (event_via(event) == DEMUX_ASSIGNED) {
		explain_assigned(words, event, name);
		return;
	}
	say_way(words, event);
	say(words, " %s", name);
	if (!say_claim(words, to))
		return;
	if (to->notes & DEMUX_NOTE_SK_LOOKUP)
		say(words,
		    " The tables would not have given it: %s, which is asked "
		    "before, may have chosen it.",
		    names_sk_lookup(program, event_sk_lookup(event),
				    event_has_sk_lookups(event)));
	else if (event_via(event) == DEMUX_LOOKUP &&
		 !(to->notes & DEMUX_NOTE_GROUP))
		say_score(words, event);
	say_group(words, event);
}

static void on_nobody(struct words *words, const struct event *event)
{
	(void)event;
	say(words, " The lookup gave none: it is nobody's.");
}

static void on_denied(struct words *words, const struct event *event)
{
	char name[EXPLAIN_NAME_MAX];

	if (event->sock)
		say(words,
		    " It was for %s, and was refused before that got it.",
		    explain_sock(name, event->sock));
	else
		say(words, " It was refused before any socket got it.");
}

static void on_malformed(struct words *words, const struct event *event)
{
	(void)event;
	say(words, " No socket got it.");
}

static void say_rest(struct words *words, const struct event *event)
{
	const struct demux_datagram *to = event->datagram;

	if (to->notes & DEMUX_NOTE_BAD_CHECKSUM)
		say(words, " Its checksum is wrong or missing.");
	if (to->notes & DEMUX_NOTE_ICMP)
		say(words, " The kernel set out to tell the sender: ICMP port "
			   "unreachable.");
	if (to->notes & DEMUX_NOTE_ENCAP)
		say(words, " The socket serves an encapsulation, which looks "
			   "into it.");
	if (to->notes & DEMUX_NOTE_DROPPED)
		say(words, " It was dropped after the socket had got it.");
	else if (to->segs_lost)
		say(words,
		    " The socket takes them one by one; %u of them it "
		    "did not get.",
		    to->segs_lost);
	if (event->drop_reason)
		say(words, " The kernel dropped it as %s.", event->drop_reason);
	explain_predicted(words, to->predicted);
}

void explain_datagram(struct words *words, const struct event *event)
{
	static void (*const on[])(struct words *, const struct event *) = {
		[DEMUX_CONNECTED] = on_match,
		[DEMUX_UNCONNECTED] = on_match,
		[DEMUX_MULTICAST] = on_match,
		[DEMUX_NOBODY] = on_nobody,
		[DEMUX_DENIED] = on_denied,
		[DEMUX_BAD_DATAGRAM] = on_malformed,
	};

	say_what_came(words, event);
	if (!(event->datagram->have & DEMUX_HAVE_OUTCOME)) {
		say(words, " No hook saw what became of it.");
		return;
	}
	on[event->datagram->outcome](words, event);
	say_rest(words, event);
}
