// SPDX-License-Identifier: GPL-2.0-only
/*
 * proof.c - was each segment given to the socket it belongs to? Counts the
 * verdicts of judge.c, and sums up. Fourth stage.
 */
#include "proof.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void proof_judge(struct proof *proof, struct model *model, struct event *event,
		 enum verdict (*judge)(struct judge *judge), uint64_t *counts,
		 struct ports *ports)
{
	struct port *port = NULL;
	enum verdict verdict;

	proof->judge.event = event;
	proof->judge.model = model;
	verdict = judge(&proof->judge);
	event->verdict = verdict;
	event->why = verdict == VERDICT_PROVED ? NULL : proof->judge.why;
	counts[verdict]++;
	if (verdict != VERDICT_PROVED && event_met(event) &&
	    event->arrival->have & DEMUX_HAVE_PORTS)
		port = ports_get(ports, event->arrival->ends.lport);
	if (port && verdict == VERDICT_UNEXPLAINED)
		port->misdelivered++;
	else if (port)
		port->explained++;
}

void proof_segment(struct proof *proof, struct model *model,
		   struct event *event)
{
	proof_judge(proof, model, event, judge_segment, proof->counts,
		    &model->ports);
}

/* I7: a socket waits for accept() at the listener that it was born of; when that
 * closes, it may move to another of the same SO_REUSEPORT group. */
void proof_accept(struct proof *proof, struct model *model,
		  const struct event *event)
{
	uint64_t born_of = event->sock->parent, now_ns = event->head->mono_ns;
	struct model_sock *listener;

	if (!event->parent || event->parent->number == born_of)
		return;
	listener = model_find_number(model, born_of);
	/* One that was met after the child is the old one's, listening again. */
	if (!listener || model_is_gone(listener) ||
	    listener->born_ns > event->sock->born_ns)
		return;
	proof->strange_accepts++;
	if (!listener->strays++ || now_ns < listener->strayed_ns)
		listener->strayed_ns = now_ns;
}

/* A close is told behind a segment that this CPU has not done with: another CPU's
 * accept() may be told before it, and yet have come later. */
void proof_close(struct proof *proof, struct model *model,
		 const struct event *event)
{
	struct model_sock *listener = model_find(model, event->close->sock.id);

	if (!listener || event->head->mono_ns > listener->strayed_ns ||
	    event->head->mono_ns < listener->born_ns)
		return;
	proof->strange_accepts -= listener->strays;
	listener->strays = 0;
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

static void doubt_datagrams(struct summary *summary)
{
	const struct datagram_summary *udp = &summary->udp;

	doubt_count(summary, udp->unexplained, "datagrams are unexplained");
	doubt_count(summary, udp->lost,
		    "copies of datagrams were lost: the ring was full "
		    "(--buffer-size)");
	doubt_count(summary, udp->skipped, "datagrams could not be followed");
	doubt_count(summary, udp->missing,
		    "copies of datagrams did not arrive here");
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
	doubt_count(summary, proof->strange_accepts,
		    "accepted sockets were born of another listener (I7)");
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
	proof_datagrams_end(proof, model, end, summary);
	doubt_datagrams(summary);
	if (!summary->segments && !summary->udp.copies)
		doubt(summary, summary->udp.is_there ?
				       "no segment and no datagram was seen" :
				       "no segment was seen");
	summary->is_proved = !summary->doubt_count;
}

void proof_free(struct summary *summary)
{
	free(summary->ports);
	free(summary->udp_ports);
}
