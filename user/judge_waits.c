// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge_waits.c - which segments and datagrams wait for their verdict, and for
 * what. Fourth stage, part of the proof.
 */
#include "judge.h"

#include "classify.h"
#include "model_table.h"

/* From a segment's entry until the socket that it makes is in the hash table: some us,
 * 2 ms were seen in an emulated guest. */
#define MAKING_NS 10000000

/* Does the lookup give @sock what came in there? Only where that is known, may it be
 * bound to a device. One that is bound to none may have what a VRF brings, or not: so
 * it is with a listener that is bound to one, which may be a VRF. */
static bool is_of_its_device(const struct demux_sock *sock,
			     const struct demux_segment *seg)
{
	if (!sock->ifindex)
		return seg->have & DEMUX_HAVE_SDIF ?
			       !seg->sdif :
			       !(seg->have & DEMUX_HAVE_SOCK &&
				 seg->sock.ifindex);
	return seg->have & DEMUX_HAVE_SDIF &&
	       (sock->ifindex == seg->ifindex || sock->ifindex == seg->sdif);
}

/* Another one with the segment's two ends, that the lookup would have given instead
 * of a listener, or nobody. */
static const struct model_sock *passed_by(const struct model *model,
					  const struct event *event)
{
	const struct demux_segment *seg = event->segment;
	const struct model_sock *one =
		model_find_ends(model, &seg->ends, seg->netns);

	for (; one; one = model_next_ends(one, &seg->ends))
		if (one->born_ns < seg->head.mono_ns &&
		    !(event->with_child &&
		      event->with_child->id == one->last.id) &&
		    is_of_its_device(&one->last, seg))
			return one;
	return NULL;
}

/* Can another CPU not have had @one in the hash table yet? Until then its request is
 * found, but for a moment as it goes; and SYN cookies have none. One that connects is
 * there before anything meets it: but where the way of the match is not seen, the
 * lookup was a moment before the segment's time. What this CPU found before was
 * there. */
static bool may_be_unmade(const struct model_sock *one,
			  const struct event *event)
{
	const struct demux_head *seg = event->head;
	bool was_found = one->found_ns && one->found_ns < seg->mono_ns &&
			 one->found_cpu == seg->cpu;

	if (was_found)
		return false;
	if (!one->is_made)
		return !event_via(event) &&
		       seg->mono_ns < one->born_ns + LATE_NS;
	return one->made_cpu != seg->cpu &&
	       seg->mono_ns < one->born_ns + MAKING_NS;
}

bool judge_is_out_of_chain(const struct event *event)
{
	const struct demux_why *why = event->with_why;

	return why && why->have & DEMUX_WHY_CHAIN &&
	       !(why->have & DEMUX_WHY_POSITION);
}

/* Is @sock bound to another device than it came in by, for all that is seen? */
static bool is_elsewhere(const struct demux_sock *sock,
			 const struct demux_arrival *got, uint32_t ifindex,
			 uint32_t sdif)
{
	return sock->ifindex && got->have & DEMUX_HAVE_SDIF &&
	       sock->ifindex != ifindex && sock->ifindex != sdif &&
	       !model_table_is_mini(sock);
}

/* Can @one have been bound to where it is now after the lookup? Where the way of the
 * match is not seen, that came a moment before the segment's time. */
static enum judge_fate by_rebind(const struct model_sock *one,
				 const struct event *event)
{
	uint64_t early_ns = event_via(event) ? 0 : LATE_NS;
	bool may_be = one && one->rebound_ns &&
		      event->head->mono_ns <= one->rebound_ns + early_ns;

	return may_be ? FATE_REBOUND : FATE_UNKNOWN;
}

static bool wait_for_device(const struct model *model,
			    const struct event *event,
			    const struct demux_sock *sock,
			    struct judge_wait *wait)
{
	const struct model_sock *one = model_find(model, sock->id);

	*wait = (struct judge_wait){
		.id = sock->id,
		.awaited = AWAITED_BOUND,
		.fate = by_rebind(one, event),
		.ifindex = sock->ifindex,
	};
	/* That it was bound there has been told: there is nothing to come. */
	if (!wait->fate && one && !model_is_gone(one) &&
	    one->bound_to == sock->ifindex)
		wait->fate = FATE_STAYED;
	return true;
}

/* Who chooses in a group, or for sk_lookup, does not ask for the device. */
static bool datagram_waits(const struct model *model, const struct event *event,
			   struct judge_wait *wait)
{
	const struct demux_datagram *datagram = event->datagram;
	__u32 sdif = datagram->have & DEMUX_HAVE_SDIF ? datagram->sdif : 0;

	return datagram->have & DEMUX_HAVE_SOCK &&
	       !(datagram->have & DEMUX_HAVE_GROUP) &&
	       !(datagram->notes & DEMUX_NOTE_SK_LOOKUP) &&
	       event_via(event) != DEMUX_ASSIGNED &&
	       is_elsewhere(&datagram->sock, event->arrival, datagram->ifindex,
			    sdif) &&
	       wait_for_device(model, event, &datagram->sock, wait);
}

bool judge_waits(const struct model *model, const struct event *event,
		 struct judge_wait *wait)
{
	const struct demux_segment *seg = event->segment;
	const struct model_sock *other = NULL, *itself;
	const struct demux_sock *sock;
	bool is_listener, is_exact;

	if (event_is_datagram(event))
		return datagram_waits(model, event, wait);
	if (event->head->type != DEMUX_SEGMENT)
		return false;
	if (!(seg->have & DEMUX_HAVE_OUTCOME) ||
	    event_via(event) == DEMUX_ASSIGNED)
		return false;
	sock = event_met(event);
	if (!sock && seg->predicted & DEMUX_PREDICTED_OUTCOME)
		return false;
	is_listener = sock && sock->state == TCP_LISTEN;
	is_exact = sock && !is_listener && same_ends(&seg->ends, &sock->ends);
	if (seg->outcome == DEMUX_NONE || is_listener)
		other = passed_by(model, event);
	else if (is_exact)
		other = model_find_twin(model, seg, sock);
	if (other) {
		*wait = (struct judge_wait){
			.id = other->last.id,
			.awaited = AWAITED_OTHER,
			.is_by_ends = other->last.flags & DEMUX_SOCK_BY_ENDS,
			.ifindex = seg->ifindex,
		};
		wait->fate = !is_exact && may_be_unmade(other, event) ?
				     FATE_MADE :
				     by_rebind(other, event);
		return true;
	}
	/* As with datagrams. */
	if ((is_exact || is_listener) && !(seg->have & DEMUX_HAVE_SK_LOOKUP) &&
	    !(sock->flags & DEMUX_SOCK_REUSEPORT) &&
	    is_elsewhere(sock, event->arrival, seg->ifindex, seg->sdif))
		return wait_for_device(model, event, sock, wait);
	if (!is_exact || model_table_is_mini(sock) ||
	    !judge_is_out_of_chain(event))
		return false;
	/* Its close may have come before. */
	*wait = (struct judge_wait){ .id = sock->id };
	itself = model_find(model, sock->id);
	return !itself || !model_is_gone(itself);
}
