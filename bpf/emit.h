/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emit.h - the last stage of the kernel half: a finished record goes into the
 * ring, or is counted as lost.
 */
#ifndef DEMUX_EMIT_H
#define DEMUX_EMIT_H

#include "maps.h"

#define RECORDS_PER_LOOK 64

/*
 * The reader looks into the ring by itself several times a second; it is woken
 * only when the ring fills faster than that. A wake-up costs some 40 times
 * what a record does.
 */
static __always_inline __u64 wake_flag(struct cell *cell)
{
	if (cell->until_look--)
		return BPF_RB_NO_WAKEUP;
	cell->until_look = RECORDS_PER_LOOK - 1;
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < config.wake_bytes ?
		       BPF_RB_NO_WAKEUP :
		       BPF_RB_FORCE_WAKEUP;
}

static __always_inline void fill_head(struct demux_head *head, __u16 type,
				      __u16 len)
{
	head->type = type;
	head->len = len;
	head->cpu = bpf_get_smp_processor_id();
	head->mono_ns = bpf_ktime_get_ns();
}

static __always_inline void emit_segment(struct cell *cell, void *record,
					 __u32 len)
{
	if (bpf_ringbuf_output(&ring, record, len, wake_flag(cell)))
		count_softirq(&cell->count.lost);
	else
		count_softirq(&cell->count.emitted);
}

static __always_inline void emit_other(void *record, __u32 len)
{
	struct cell *cell = this_cell();

	if (bpf_ringbuf_output(&ring, record, len, BPF_RB_NO_WAKEUP) && cell)
		count(&cell->count.lost_other);
}

#endif
