// SPDX-License-Identifier: GPL-2.0-only
/*
 * proof.c - was each segment given to the socket it belongs to? Fourth stage.
 */
#include "proof.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "classify.h"
#include "filter.h"

enum {
	CLOSE = 7,
	LISTEN = 10
};

const char *proof_verdict_name(unsigned int verdict)
{
	static const char *const names[] = {
		[VERDICT_PROVED] = "proved",
		[VERDICT_EXPLAINED] = "explained",
		[VERDICT_UNEXPLAINED] = "unexplained",
	};

	return verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] :
							    NULL;
}

/* --- one segment ------------------------------------------------------------- */

struct judgement {
	enum verdict verdict;
	const char *why;
};

static const struct judgement proved = { VERDICT_PROVED, NULL };

static struct judgement explained(const char *why)
{
	return (struct judgement){ VERDICT_EXPLAINED, why };
}

static struct judgement unexplained(const char *why)
{
	return (struct judgement){ VERDICT_UNEXPLAINED, why };
}

static bool holds_listener(const struct demux_segment *seg,
			   const struct demux_sock *sock)
{
	const struct demux_ends *to = &seg->ends, *at = &sock->ends;

	if (at->lport != to->lport)
		return false;
	if (to->family == 4 && sock->flags & DEMUX_SOCK_V6ONLY)
		return false;
	if (to->family == 6 && at->family == 4)
		return false;
	if (is_any(at->laddr) ||
	    (to->family == 4 && is_mapped(at->laddr) &&
	     same_bytes(at->laddr + 12, (const __u8[4]){ 0 }, 4)))
		return true;
	return same_addr(to->laddr, to->family, at->laddr, at->family);
}

/* The rules that every match obeys, whatever its kind. */
static struct judgement judge_place(const struct demux_segment *seg,
				    const struct demux_sock *sock)
{
	if (seg->have & DEMUX_HAVE_NETNS && seg->netns != sock->netns)
		return unexplained(
			"the socket is in another network namespace");
	if (sock->ifindex && sock->ifindex != seg->ifindex)
		return explained("the socket is bound to another device, as "
				 "a VRF's member is");
	return proved;
}

/* I3: a listener, or nobody, gets only what no other socket should have had. */
static struct judgement judge_bypass(const struct event *event,
				     struct model *model)
{
	const struct demux_segment *seg = event->segment;
	struct model_sock *other =
		model_find_ends(model, &seg->ends, seg->netns);

	if (!other || other == event->child || other->last.ifindex ||
	    other->born_ns >= seg->head.mono_ns)
		return proved;
	/* Its close has to follow: proof_end() looks. */
	if (!other->bypassed_ns)
		other->bypassed_ns = seg->head.mono_ns;
	return explained(
		"I3: a socket with these two ends was leaving the hash "
		"table just then");
}

static struct judgement judge_match(const struct event *event,
				    const struct demux_sock *sock,
				    struct model *model)
{
	const struct demux_segment *seg = event->segment;
	struct judgement result;

	if (seg->have & DEMUX_HAVE_VIA && seg->via == DEMUX_ASSIGNED)
		return explained("a rule or a program assigned the socket to "
				 "the segment before TCP saw it");
	/* Of a request that was predicted its listener was seen. */
	if (seg->predicted & DEMUX_PREDICTED_SOCK && event->with_parent &&
	    !holds_listener(seg, event->with_parent))
		return unexplained("I2: the listener has not the segment's "
				   "address and port");
	if (sock->state == LISTEN) {
		if (!holds_listener(seg, sock))
			return unexplained("I2: the listener has not the "
					   "segment's address and port");
		result = judge_bypass(event, model);
		if (result.verdict != VERDICT_PROVED)
			return result;
		return judge_place(seg, sock);
	}
	if (same_ends(&seg->ends, &sock->ends))
		return judge_place(seg, sock);
	if (sock->state == CLOSE && may_be_released(&seg->ends, &sock->ends))
		return explained("the socket closed meanwhile and had given "
				 "its port back");
	return unexplained(seg->outcome == DEMUX_REQUEST ?
				   "I4: the request has not the segment's two "
				   "ends" :
				   "I1: the socket has not the segment's two "
				   "ends");
}

static struct judgement judge(const struct event *event, struct model *model)
{
	const struct demux_segment *seg = event->segment;
	struct judgement result = proved;

	if (!(seg->have & DEMUX_HAVE_OUTCOME))
		return unexplained("I10: no hook saw what became of it");
	if (seg->predicted & DEMUX_PREDICTED_OUTCOME &&
	    !(seg->have & DEMUX_HAVE_SOCK))
		return explained("no full socket got it; this kernel does not "
				 "tell who did, so that is predicted");
	if (seg->outcome == DEMUX_NONE)
		return judge_bypass(event, model);
	if (seg->outcome == DEMUX_MALFORMED)
		return proved;
	if (!(seg->have & DEMUX_HAVE_SOCK)) {
		if (seg->outcome == DEMUX_REFUSED)
			return explained("refused before a hook could see "
					 "which socket it was for");
		return unexplained("I10: matched, but to what was not seen");
	}
	if (!(seg->have & DEMUX_HAVE_PORTS) || !(seg->have & DEMUX_HAVE_ADDRS))
		return unexplained("its headers could not be read");
	result = judge_match(event, &seg->sock, model);
	if (result.verdict == VERDICT_PROVED && event->with_child &&
	    !same_ends(&seg->ends, &event->with_child->ends))
		return unexplained("I4: the child has not the segment's two "
				   "ends");
	return result;
}

void proof_segment(struct proof *proof, struct model *model,
		   struct event *event)
{
	const struct demux_segment *seg = event->segment;
	struct judgement result = judge(event, model);

	event->verdict = result.verdict;
	event->why = result.why;
	proof->counts[result.verdict]++;
	if (result.verdict != VERDICT_PROVED && seg->have & DEMUX_HAVE_SOCK &&
	    seg->have & DEMUX_HAVE_PORTS) {
		struct port *port = ports_get(&model->ports, seg->ends.lport);

		if (port && result.verdict == VERDICT_UNEXPLAINED)
			port->misdelivered++;
		else if (port)
			port->explained++;
	}
}

uint64_t proof_judged(const struct proof *proof)
{
	return proof->counts[VERDICT_PROVED] +
	       proof->counts[VERDICT_EXPLAINED] +
	       proof->counts[VERDICT_UNEXPLAINED];
}

/* --- the whole trace --------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
doubt(struct summary *summary, const char *format, ...)
{
	va_list args;

	if (summary->doubt_count == PROOF_DOUBTS_MAX)
		return;
	va_start(args, format);
	vsnprintf(summary->doubts[summary->doubt_count++],
		  sizeof(summary->doubts[0]), format, args);
	va_end(args);
}

static void doubt_count(struct summary *summary, uint64_t count,
			const char *what)
{
	if (count)
		doubt(summary, "%llu %s", (unsigned long long)count, what);
}

static void fill_counters(struct summary *summary, const struct demux_end *end)
{
	const struct demux_counters *count = &end->counters;
	uint64_t known =
		count->filtered + count->emitted + count->lost + count->skipped;

	summary->complete = true;
	summary->filtered += count->filtered;
	summary->lost = count->lost;
	summary->lost_other = count->lost_other;
	summary->skipped = count->skipped + end->unseen;
	/* Begun, and neither told nor counted: the last on each CPU. */
	if (count->seen > known)
		summary->skipped += count->seen - known;
	summary->stuck = count->stuck;
	summary->not_host = count->not_host;
}

void proof_end(const struct proof *proof, struct model *model,
	       const struct recording_head *head, const struct demux_end *end,
	       struct summary *summary)
{
	const uint64_t *counts = proof->counts;
	uint64_t judged = proof_judged(proof);

	*summary = (struct summary){
		.head = head,
		.segments = judged,
		.filtered = proof->filtered,
		.accepted = model->accepted,
		.proved = counts[VERDICT_PROVED],
		.explained = counts[VERDICT_EXPLAINED],
		.unexplained = counts[VERDICT_UNEXPLAINED],
	};
	if (end)
		fill_counters(summary, end);
	else
		doubt(summary, "the recording is cut, or was not read to its "
			       "end");
	summary->ports = ports_sorted(&model->ports, &summary->port_count);

	doubt_count(summary, summary->unexplained, "segments are unexplained");
	doubt_count(summary, model_bypassed(model),
		    "sockets stood in the hash table while a listener got "
		    "their segments (I3)");
	doubt_count(summary, summary->lost,
		    "segments were lost: the ring was full (--buffer-size)");
	doubt_count(summary, summary->lost_other,
		    "accept, listen or close records were lost: the ring was "
		    "full (--buffer-size)");
	doubt_count(summary, summary->skipped,
		    "segments could not be followed");
	doubt_count(summary, summary->stuck, "notes did not fit into a map");
	doubt_count(summary, proof->undecodable, "records are damaged");
	doubt_count(summary, proof->unknown,
		    "records are of a kind that this version does not know");
	if (head->missing[0])
		doubt(summary, "needed hooks were not there: %s",
		      head->missing);
	if (end && !proof->stopped_early &&
	    end->counters.emitted != judged + proof->filtered)
		doubt(summary,
		      "the kernel handed over %llu segments, but %llu "
		      "arrived here",
		      (unsigned long long)end->counters.emitted,
		      (unsigned long long)(judged + proof->filtered));
	if (!summary->segments)
		doubt(summary, "no segment was seen");
	summary->is_proved = !summary->doubt_count;
}

void proof_free(struct summary *summary)
{
	free(summary->ports);
}
