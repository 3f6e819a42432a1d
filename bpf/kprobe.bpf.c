// SPDX-License-Identifier: GPL-2.0-only
/*
 * kprobe.bpf.c - the kprobe backend: the same functions as fentry.bpf.c has, for
 * kernels without BPF trampolines. A kretprobe knows a function's result, but
 * no longer its arguments; user/backend_kprobe.c has the table of programs.
 */
#define DEMUX_UNTYPED

#include <linux/bpf.h>

#include "vmlinux.h"

#include <bpf/bpf_tracing.h>

#include "accept.h"
#include "args.h"
#include "fate.h"
#include "files.h"
#include "misses.h"
#include "segment.h"
#include "life.h"

#define ENTRY(name, function, args...) SEC("kprobe") BPF_KPROBE(name, ##args)

#include "entries.h"
#include "entries_udp.h"
#include "kprobe_udp.h"

char LICENSE[] SEC("license") = "GPL";

/* --- a segment's way ---------------------------------------------------- */

SEC("kprobe")
int BPF_KPROBE(on_segment4, struct sk_buff *skb)
{
	segment_enters(skb, 4);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_segment6, struct sk_buff *skb)
{
	segment_enters(skb, 6);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_segment4_done)
{
	segment_returns();
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_segment6_done)
{
	segment_returns();
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_match, struct sock *sk, struct sk_buff *skb)
{
	segment_filter_begins(sk, skb);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_match_done, int verdict)
{
	segment_filter_ends(verdict);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_request, struct sock *sk, struct sk_buff *skb,
	       struct request_sock *req, __u8 fastopen, bool *stolen)
{
	/* __u8, not bool: the upper bytes of its register are anything. */
	if (!fastopen)
		segment_request(sk, skb, req, stolen);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_request_done, __u64 result)
{
	fate_request_done(flight_current(this_cell()), result);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_backlog, __u8 dropped)
{
	fate_backlog(flight_current(this_cell()), dropped);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_timewait_done, __u32 verdict)
{
	fate_timewait_done(flight_current(this_cell()), verdict);
	return 0;
}

/* --- a socket's life ---------------------------------------------------- */

/* Only where no graft tells: with a handful of tasks waiting in accept() a
 * kretprobe has no room for more. */
SEC("kretprobe")
int BPF_KRETPROBE(on_accept, struct sock *sk)
{
	if (sk && is_told_at_once(sk))
		accept_ends(sk, NULL);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_accept_call, struct sock *listener)
{
	accept_begins(listener);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_listen_call, struct sock *sk)
{
	call_begins(sk);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_listen, int err)
{
	struct sock *sk = call_ends();

	if (sk && !err)
		sock_listens(sk);
	return 0;
}

SEC("kprobe")
int BPF_KPROBE(on_device_call, struct sock *sk)
{
	call_begins_of(sk, REBINDING);
	return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(on_device, int failed)
{
	struct sock *sk = call_ends_of(REBINDING);

	if (sk && !failed) {
		sock_rebinds(sk);
		udp_sock_rebinds(sk);
	}
	return 0;
}

/* --- what kprobes missed -------------------------------------------------- */

extern const void __per_cpu_offset __ksym __weak;

/* How often the probe was hit. Every CPU counts for itself. */
static __always_inline __u64 read_hits(struct trace_kprobe *kprobe)
{
	__u64 nhit = (__u64)BPF_CORE_READ(kprobe, nhit), sum = 0;
	const __u64 *offsets = &__per_cpu_offset;

	for (__u32 cpu = 0; offsets && cpu < config.cpus; cpu++) {
		__u64 offset = 0, hits = 0;

		bpf_probe_read_kernel(&offset, sizeof(offset), &offsets[cpu]);
		bpf_probe_read_kernel(&hits, sizeof(hits),
				      (void *)(nhit + offset));
		sum += hits;
	}
	return sum;
}

/* The probe behind a perf event counts calls, and those that it had to let pass.
 * That is shown nowhere (perf's link tells the latter from 6.7 on), so it is looked
 * up here, for whatever file: user space knows which ones are probes. */
SEC("iter/task_file")
int on_probe_file(struct bpf_iter__task_file *ctx)
{
	struct demux_misses record = { .fd = ctx->fd };
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct trace_probe_event *event;
	struct trace_event_call *call;
	struct trace_probe *probe;
	struct trace_kprobe *kprobe;
	struct perf_event *perf;

	if (!task || !file ||
	    (__u32)task->tgid != bpf_get_current_pid_tgid() >> 32)
		return 0;
	perf = BPF_CORE_READ(file, private_data);
	call = BPF_CORE_READ(perf, tp_event);
	event = (void *)call -
		bpf_core_field_offset(struct trace_probe_event, call);
	probe = (void *)BPF_CORE_READ(event, probes.next) -
		bpf_core_field_offset(struct trace_probe, list);
	kprobe = (void *)probe - bpf_core_field_offset(struct trace_kprobe, tp);
	record.hits = read_hits(kprobe);
	record.missed = BPF_CORE_READ(kprobe, rp.kp.nmissed);
	record.no_instance = BPF_CORE_READ(kprobe, rp.nmissed);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
