// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_why.c - the sentences on what stands in the kernel's lookup tables,
 * and on why one of several listeners won. Last stage.
 */
#include "explain_words.h"

#include <string.h>

#include "classify.h"
#include "model.h"
#include "names.h"

/* --- the established hash ---------------------------------------------------- */

static void say_place(struct words *words, const struct event *event)
{
	const struct demux_why *why = event->with_why;
	const uint32_t chain = DEMUX_WHY_POSITION | DEMUX_WHY_CHAIN;

	if (why && why->have & DEMUX_WHY_SLOT) {
		say(words, ", in slot %u of %u", why->hash_slot,
		    why->hash_slots);
		if ((why->have & chain) != chain)
			;
		else if (why->chain_length == 1)
			say(words, ", alone");
		else if (!why->chain_position)
			say(words, ", the first of %u", why->chain_length);
		else
			say(words, ", behind %u of the %u others",
			    why->chain_position, why->chain_length - 1);
	}
	say(words, ".");
}

static void say_strangers(struct words *words, const struct demux_why *why)
{
	if (why && why->have & DEMUX_WHY_SLOT) {
		say(words, ": their slot, %u of %u,", why->hash_slot,
		    why->hash_slots);
		if (!(why->have & DEMUX_WHY_CHAIN))
			say(words, " has none");
		else if (!why->chain_length)
			say(words, " is empty");
		else
			say(words, " has %u other%s", why->chain_length,
			    why->chain_length == 1 ? "" : "s");
	}
	say(words, ".");
}

/* Has the matched socket exactly the segment's two ends? */
static bool is_exact(const struct event *event)
{
	const struct demux_segment *seg = event->segment;

	return seg->have & DEMUX_HAVE_SOCK && seg->have & DEMUX_HAVE_PORTS &&
	       same_ends(&seg->ends, &seg->sock.ends);
}

void explain_assigned(struct words *words, const struct event *event,
		      const char *what)
{
	say(words,
	    " It came with %s, which %s had assigned to it: nothing was "
	    "looked up.",
	    what, names_assigner(event_assigned_by(event)));
}

void explain_found(struct words *words, const struct event *event,
		   const char *what)
{
	if (event_via(event) == DEMUX_ASSIGNED) {
		explain_assigned(words, event, what);
		return;
	}
	if (event_via(event) == DEMUX_EARLY_DEMUX)
		say(words, " Looked up before routing (early demux), among "
			   "the established sockets: ");
	else if (event_via(event) == DEMUX_LOOKUP)
		say(words, " Looked up among the established sockets: ");
	else
		say(words, " Its socket: ");
	if (is_exact(event))
		say(words, "%s has exactly this pair of endpoints", what);
	else
		say(words, "it went to %s", what);
	say_place(words, event);
}

static void say_sk_lookup(struct words *words, const struct event *event)
{
	const struct demux_segment *seg = event->segment;
	const struct demux_ends *its = &seg->sock.ends;
	bool is_several = event_has_sk_lookups(event);
	char end[EXPLAIN_NAME_MAX];

	if (!(seg->have & DEMUX_HAVE_SK_LOOKUP))
		return;
	say(words,
	    is_several ? " Before the listeners BPF programs (sk_lookup, the "
			 "first: id %u) are asked." :
			 " Before the listeners a BPF program (sk_lookup, id "
			 "%u) is asked.",
	    seg->sk_lookup);
	if (seg->outcome == DEMUX_LISTENER && seg->have & DEMUX_HAVE_SOCK &&
	    its->lport != seg->ends.lport)
		say(words, " %s chose one that listens on %s.",
		    is_several ? "One of them" : "It",
		    explain_end(end, its->laddr, its->family, its->lport));
}

/* --- listeners --------------------------------------------------------------- */

static void say_candidate(struct words *words, const struct event *event,
			  size_t number, bool with_score)
{
	const struct demux_candidate *one = &event->with_why->candidate[number];
	const struct demux_ends *ends = &event->segment->ends;
	char name[EXPLAIN_NAME_MAX], addr[NAMES_ADDR_MAX];

	say(words, "%s on ", explain_sock(name, event->candidate[number]));
	if (one->flags & DEMUX_CANDIDATE_ADDRESS) {
		names_addr(addr, ends->laddr, ends->family);
		say(words, "%s", addr);
	} else {
		say(words, "any address");
	}
	if (one->ifindex)
		say(words, ", bound to device %u", one->ifindex);
	if (one->flags & DEMUX_CANDIDATE_CPU)
		say(words, ", for this CPU");
	if (one->flags & DEMUX_CANDIDATE_REUSEPORT)
		say(words, ", of a reuseport group");
	if (with_score)
		say(words, ", score %d", one->score);
}

static void say_rule(struct words *words, const struct event *event)
{
	static const struct {
		const char *won_by, *rule;
	} rules[] = {
		{ "address",
		  "A listener on the address comes before one on any." },
		{ "device",
		  "One bound to the device comes before one that is not." },
		{ "family",
		  "For IPv4 a listener on IPv4 comes before one on IPv6." },
		{ "incoming_cpu", "One that asked for segments of this CPU "
				  "(SO_INCOMING_CPU) comes first." },
		{ "newest",
		  "Of those with the same score the newest comes first." },
		{ "first",
		  "Of those with the same score the one that the kernel looks "
		  "at first wins: IPv6 listeners with SO_REUSEPORT stand "
		  "behind the others." },
		{ "reuseport",
		  "The first of a reuseport group that beats those before it "
		  "ends the search: its group chooses." },
	};
	char won_by[EXPLAIN_NAME_MAX];

	if (!explain_field(won_by, "won_by", event))
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(rules[i].won_by, won_by))
			say(words, " %s", rules[i].rule);
}

static void say_candidates(struct words *words, const struct event *event)
{
	const struct demux_why *why = event->with_why;
	size_t shown;

	if (!why || !(why->have & DEMUX_WHY_CANDIDATES))
		return;
	/* It may have gone to another one all the same. */
	if (event->segment->have & DEMUX_HAVE_SK_LOOKUP)
		say(words, " By address and port");
	if (!why->candidates) {
		say(words, event->segment->have & DEMUX_HAVE_SK_LOOKUP ?
				   " no listener could take it." :
				   " No listener could take it.");
		return;
	}
	shown = why->candidates < DEMUX_CANDIDATES ? why->candidates :
						     DEMUX_CANDIDATES;
	say(words, " %u listener%s could take it: ", why->candidates,
	    why->candidates == 1 ? "" : "s");
	for (size_t i = 0; i < shown; i++) {
		say(words, "%s", i ? "; " : "");
		say_candidate(words, event, i, why->candidates > 1);
	}
	if (why->candidates > shown)
		say(words, "; and %u more",
		    (unsigned int)(why->candidates - shown));
	say(words, ".");
	say_rule(words, event);
}

void explain_not_found(struct words *words, const struct event *event)
{
	bool is_seen = !(event->segment->predicted & DEMUX_PREDICTED_OUTCOME);

	/* That it reached the listeners says that there was nothing before. */
	if (is_seen && event_via(event) == DEMUX_LOOKUP) {
		say(words, " No established socket has this pair of endpoints");
		say_strangers(words, event->with_why);
	}
	/* Where the way is not seen, a socket that was assigned is predicted. */
	if (is_seen && (!event_via(event) || event_via(event) == DEMUX_LOOKUP))
		say_sk_lookup(words, event);
	say_candidates(words, event);
}

void explain_group(struct words *words, const struct event *event)
{
	const struct demux_why *why = event->with_why;
	char name[EXPLAIN_NAME_MAX];

	if (!why || !(why->have & DEMUX_WHY_GROUP) || why->group_size < 2)
		return;
	say(words, " %s is one of a reuseport group of %u.",
	    explain_sock(name, event->sock), why->group_size);
	/* One that was assigned, or that a program on sk_lookup chose, may be
	 * of a group that was never asked. */
	if (!(why->have & DEMUX_WHY_GROUP_CHOICE) ||
	    (!(why->have & DEMUX_WHY_GROUP_HASH) &&
	     (event_via(event) == DEMUX_ASSIGNED ||
	      event->segment->have & DEMUX_HAVE_SK_LOOKUP)))
		return;
	if (why->group_by == DEMUX_GROUP_BY_HASH &&
	    why->have & DEMUX_WHY_GROUP_HASH)
		say(words, " The hash of the four values, %u,",
		    why->group_hash);
	else if (why->group_by == DEMUX_GROUP_BY_HASH)
		say(words, " The hash of the four values");
	else if (why->group_by == DEMUX_GROUP_BY_BPF) /* which is not seen */
		say(words, " Its BPF program, or the hash where that gave no "
			   "answer,");
	else if (why->group_by == DEMUX_GROUP_BY_CPU)
		say(words, " The CPU (SO_INCOMING_CPU)");
	else
		return;
	say(words, " chose index %u.", why->group_index);
}
