// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields_why.c - the columns that tell why it was this socket: what --detail
 * found in the kernel's lookup tables, and which rule decided. Last stage.
 */
#include "fields_why.h"

#include <stdio.h>

#include "fields_datagram.h"
#include "model.h"
#include "names.h"

#define GETTER(name) \
	bool fields_why_##name(const struct event *event, struct value *value)

/* What --detail found, if it has all of @bits. */
static const struct demux_why *why_of(const struct event *event, uint32_t bits)
{
	const struct demux_why *why = event->with_why;

	return why && (why->have & bits) == bits ? why : NULL;
}

#define WHY_NUMBER(name, bits)                                     \
	GETTER(name)                                               \
	{                                                          \
		const struct demux_why *why = why_of(event, bits); \
                                                                   \
		return why && value_number(value, why->name);      \
	}

/* --- the established hash ---------------------------------------------------- */

WHY_NUMBER(hash_slots, DEMUX_WHY_SLOT)
WHY_NUMBER(hash_slot, DEMUX_WHY_SLOT)
WHY_NUMBER(chain_position, DEMUX_WHY_POSITION)
WHY_NUMBER(chain_length, DEMUX_WHY_CHAIN)

/* --- listeners --------------------------------------------------------------- */

WHY_NUMBER(candidates, DEMUX_WHY_CANDIDATES)

static unsigned int shown(const struct demux_why *why)
{
	return why->candidates < DEMUX_CANDIDATES ? why->candidates :
						    DEMUX_CANDIDATES;
}

/* The address that the candidate listens on. */
static void listens_on(char to[NAMES_ADDR_MAX], const struct demux_ends *ends,
		       const struct demux_candidate *one)
{
	uint8_t addr[16] = {};
	/* An IPv6 socket that takes IPv4 segments. */
	bool mapped = ends->family == 4 &&
		      !(one->flags & DEMUX_CANDIDATE_FAMILY);

	if (!(one->flags & DEMUX_CANDIDATE_ADDRESS)) {
		names_addr(to, addr, mapped ? 6 : ends->family);
	} else if (mapped) {
		addr[10] = addr[11] = 0xff;
		memcpy(addr + 12, ends->laddr, 4);
		names_addr(to, addr, 6);
	} else {
		names_addr(to, ends->laddr, ends->family);
	}
}

/* In the order of the lookup, each as #SOCK@ADDRESS%DEVICE=SCORE. */
GETTER(candidate_list)
{
	static char list[DEMUX_CANDIDATES * (NAMES_ADDR_MAX + 48)];
	const struct demux_why *why = why_of(event, DEMUX_WHY_CANDIDATES);
	char *to = list;

	*list = '\0';
	for (unsigned int i = 0; why && i < shown(why); i++) {
		const struct demux_candidate *one = &why->candidate[i];
		char addr[NAMES_ADDR_MAX];

		if (i)
			*to++ = ' ';
		if (event->candidate[i])
			to += sprintf(
				to, "#%llu",
				(unsigned long long)event->candidate[i]->number);
		listens_on(addr, &event->segment->ends, one);
		to += sprintf(to, "@%s", addr);
		if (one->ifindex)
			to += sprintf(to, "%%%u", one->ifindex);
		to += sprintf(to, "=%d", one->score);
	}
	return value_text(value, list);
}

/* The first best one of the first bucket that has any; one of a reuseport group
 * ends the search. NULL where those that are not told may be better. */
static const struct demux_candidate *winner(const struct demux_why *why)
{
	const struct demux_candidate *best = NULL;

	for (unsigned int i = 0; i < shown(why); i++) {
		const struct demux_candidate *one = &why->candidate[i];

		if (best &&
		    (one->flags ^ best->flags) & DEMUX_CANDIDATE_ADDRESS)
			return best;
		if (best && one->score <= best->score)
			continue;
		best = one;
		if (one->flags & DEMUX_CANDIDATE_REUSEPORT)
			return best;
	}
	return why->candidates == shown(why) ? best : NULL;
}

/* The best of the others in the bucket of @best, or NULL. */
static const struct demux_candidate *rival(const struct demux_why *why,
					   const struct demux_candidate *best)
{
	const struct demux_candidate *second = NULL;

	for (unsigned int i = 0; i < shown(why); i++) {
		const struct demux_candidate *one = &why->candidate[i];

		if (one != best && (!second || one->score > second->score) &&
		    !((one->flags ^ best->flags) & DEMUX_CANDIDATE_ADDRESS))
			second = one;
	}
	return second;
}

/* Do those that share the score of @best stand in the order of their age? */
static bool is_by_age(const struct demux_why *why,
		      const struct demux_candidate *best)
{
	for (unsigned int i = 0; i < shown(why); i++) {
		const struct demux_candidate *one = &why->candidate[i];

		if (one->flags & DEMUX_CANDIDATE_LAST &&
		    one->score == best->score &&
		    !((one->flags ^ best->flags) & DEMUX_CANDIDATE_ADDRESS))
			return false;
	}
	return true;
}

/* By which rule @best had the segment. */
static const char *rule(const struct demux_why *why,
			const struct demux_candidate *best)
{
	const struct demux_candidate *second = rival(why, best);
	bool groups = best->flags & DEMUX_CANDIDATE_REUSEPORT;
	uint8_t more = best->flags & ~(second ? second->flags : 0);

	if (why->candidates == 1)
		return "only";
	if (groups && ((why->have & DEMUX_WHY_GROUP && why->group_size > 1) ||
		       (second && second->score >= best->score)))
		return "reuseport";
	if (!second)
		return "address";
	if (second->score >= best->score)
		return is_by_age(why, best) ? "newest" : "first";
	if (more & DEMUX_CANDIDATE_DEVICE)
		return "device";
	return more & DEMUX_CANDIDATE_FAMILY ? "family" : "incoming_cpu";
}

/* The listener that the lookup found, NULL where it found none, or something else
 * than the tables had a say. */
static const struct demux_sock *listener(const struct event *event)
{
	const struct demux_segment *seg = event->segment;

	if (seg->predicted || seg->have & DEMUX_HAVE_SK_LOOKUP ||
	    (seg->have & DEMUX_HAVE_VIA && seg->via != DEMUX_LOOKUP))
		return NULL;
	if (seg->outcome == DEMUX_LISTENER && seg->have & DEMUX_HAVE_SOCK)
		return &seg->sock;
	return seg->outcome == DEMUX_TIME_WAIT ? event->with_parent : NULL;
}

/* May @took be what its group chose? It is still one of it where it has taken the
 * option back. */
static bool is_member(const struct demux_why *why,
		      const struct demux_sock *took)
{
	return why->have & DEMUX_WHY_GROUP ?
		       why->group_size > 1 :
		       (took->flags & DEMUX_SOCK_REUSEPORT);
}

GETTER(won_by)
{
	const struct demux_why *why = why_of(event, DEMUX_WHY_CANDIDATES);
	const struct demux_candidate *best = why ? winner(why) : NULL;
	const struct demux_sock *took = listener(event);

	if (!best || !took)
		return false;
	if (took->id == best->id)
		return value_name(value, rule(why, best));
	/* Its group chose another member, which may not be among these: groups do
	 * not ask for the device. */
	return best->flags & DEMUX_CANDIDATE_REUSEPORT &&
	       is_member(why, took) && value_name(value, "reuseport");
}

/* --- reuseport groups -------------------------------------------------------- */

WHY_NUMBER(group_hash, DEMUX_WHY_GROUP_HASH)

#define GROUP(name, bits, show)                                      \
	GETTER(name)                                                 \
	{                                                            \
		const struct demux_why *why = why_of(event, bits);   \
                                                                     \
		if (event_is_datagram(event))                        \
			return fields_datagram_##name(event, value); \
		return why && show(value, why->name);                \
	}

static bool value_group_by(struct value *value, unsigned int by)
{
	return value_name(value, names_group_by(by));
}

GROUP(group_size, DEMUX_WHY_GROUP, value_number)
GROUP(group_index, DEMUX_WHY_GROUP_CHOICE, value_number)
GROUP(group_by, DEMUX_WHY_GROUP_CHOICE, value_group_by)

/* --- TCP options ------------------------------------------------------------- */

static unsigned int word(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* One option, of @len bytes with its kind and length; one that has no name here
 * is left out. */
static char *put_option(char *to, const uint8_t *at, unsigned int len)
{
	static const struct {
		uint8_t kind;
		const char *name;
	} names[] = {
		{ 4, "sackok" }, { 5, "sack" },   { 8, "ts" },   { 19, "md5" },
		{ 29, "ao" },    { 30, "mptcp" }, { 34, "tfo" },
	};

	if (at[0] == 2 && len == 4)
		return to + sprintf(to, "mss=%u,", word(at + 2));
	if (at[0] == 3 && len == 3)
		return to + sprintf(to, "wscale=%u,", at[2]);
	/* TCP Fast Open before it had a number: RFC 7413, appendix. */
	if (at[0] == 254 && len >= 4 && word(at + 2) == 0xf989)
		return to + sprintf(to, "tfo,");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].kind == at[0])
			return to + sprintf(to, "%s,", names[i].name);
	return to;
}

GETTER(options)
{
	static char text[DEMUX_OPTIONS * 8];
	const struct demux_why *why = why_of(event, DEMUX_WHY_OPTIONS);
	const uint8_t *at = why ? why->options : NULL;
	const uint8_t *end = why ? at + why->option_bytes : NULL;
	char *to = text;

	while (at < end && *at) {
		if (*at == 1) { /* NOP */
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			break;
		to = put_option(to, at, at[1]);
		at += at[1];
	}
	if (to > text)
		to--; /* the last comma */
	*to = '\0';
	return value_text(value, text);
}
