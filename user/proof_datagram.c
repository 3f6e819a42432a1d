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
	proof_judge(proof, model, event, judge_datagram, proof->copies,
		    &model->datagram_ports);
	proof->datagrams += event->is_first;
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
	to->filtered = model->datagrams - proof->datagrams;
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
