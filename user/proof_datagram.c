// SPDX-License-Identifier: GPL-2.0-only
/*
 * proof_datagram.c - was each datagram given to sockets that it belongs to?
 * Fourth stage; judge_datagram.c has the verdict on one of them, proof.c what is
 * claimed at the end.
 */
#include "proof.h"

void proof_datagram(struct proof *proof, struct model *model,
		    struct event *event)
{
	const struct demux_datagram *datagram = event->datagram;
	enum verdict verdict;

	proof->judge.event = event;
	proof->judge.model = model;
	verdict = judge_datagram(&proof->judge);
	event->verdict = verdict;
	event->why = verdict == VERDICT_PROVED ? NULL : proof->judge.why;
	proof->copies[verdict]++;
	proof->datagrams += !datagram->copy;
	if (verdict != VERDICT_PROVED && datagram->have & DEMUX_HAVE_SOCK) {
		struct port *port =
			ports_get(&model->datagram_ports, datagram->ends.lport);

		if (port && verdict == VERDICT_UNEXPLAINED)
			port->misdelivered++;
		else if (port)
			port->explained++;
	}
}

uint64_t proof_copies(const struct proof *proof)
{
	return proof->copies[VERDICT_PROVED] +
	       proof->copies[VERDICT_EXPLAINED] +
	       proof->copies[VERDICT_UNEXPLAINED];
}

void proof_datagrams_end(const struct proof *proof, struct model *model,
			 const struct demux_end *end, struct summary *summary)
{
	struct datagram_summary *to = &summary->udp;
	const struct demux_datagram_counters *count = NULL;
	uint64_t known, records = proof_copies(proof);

	if (end && end->head.len >= sizeof(*end))
		count = &end->datagrams;
	to->is_there = count || records;
	to->datagrams = proof->datagrams;
	to->copies = records;
	to->filtered = proof->copies_filtered;
	to->proved = proof->copies[VERDICT_PROVED];
	to->explained = proof->copies[VERDICT_EXPLAINED];
	to->unexplained = proof->copies[VERDICT_UNEXPLAINED];
	summary->udp_ports =
		ports_sorted(&model->datagram_ports, &summary->udp_port_count);
	if (!count)
		return;
	to->complete = true;
	to->filtered += count->filtered;
	to->lost = count->lost;
	to->skipped = count->skipped + count->unseen;
	known = count->filtered + count->told + count->skipped;
	if (count->seen > known)
		to->skipped += count->seen - known;
	to->missing = 0;
	if (!proof->stopped_early &&
	    count->emitted != records + proof->copies_filtered)
		to->missing = count->emitted - records - proof->copies_filtered;
}
