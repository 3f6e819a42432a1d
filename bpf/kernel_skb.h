/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_skb.h - the part of kernel.h, the only reader of kernel structs, that
 * reads what came in.
 */
#ifndef DEMUX_KERNEL_SKB_H
#define DEMUX_KERNEL_SKB_H

#include "kernel.h"

struct tcp_header {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack;
	__u8 offset; /* in words, upper four bits */
	__u8 flags;
	__be16 window;
};

/*
 * The headers lie in the linear part, but for a few drivers' skbs, which
 * tcp_v4_rcv pulls up later. Returns how many bytes of a TCP header @th has:
 * 16, all that is read of one; 4, the ports alone; or 0.
 */
static __always_inline int read_tcp_header(struct sk_buff *skb,
					   struct tcp_header *th)
{
	__u32 linear = GET(skb, len) - GET(skb, data_len);
	const unsigned char *data = GET(skb, data);

	if (linear >= 20)
		return bpf_probe_read_kernel(th, 16, data) ? 0 : 16;
	if (linear >= 4)
		return bpf_probe_read_kernel(th, 4, data) ? 0 : 4;
	return 0;
}

/* Do its ports lie in what tcp_v4_rcv or udp_rcv will pull up? @got as the reader of
 * its header returned it. */
static __always_inline bool are_ports_apart(struct sk_buff *skb, int got)
{
	return !got && GET(skb, data_len);
}

static __always_inline bool read_addrs(struct sk_buff *skb,
				       struct demux_ends *ends)
{
	const unsigned char *ip = GET(skb, head) + GET(skb, network_header);
	__u32 addrs[8] = {};
	__u32 *laddr = (__u32 *)ends->laddr, *raddr = (__u32 *)ends->raddr;

	if (ends->family == 4) {
		if (bpf_probe_read_kernel(addrs, 8, ip + 12))
			return false;
		raddr[0] = addrs[0];
		laddr[0] = addrs[1];
		laddr[1] = laddr[2] = laddr[3] = 0;
		raddr[1] = raddr[2] = raddr[3] = 0;
		return true;
	}
	if (bpf_probe_read_kernel(addrs, 32, ip + 8))
		return false;
	__builtin_memcpy(raddr, addrs, 16);
	__builtin_memcpy(laddr, addrs + 4, 16);
	return true;
}

/* skb_shared_info lies at the end of the linear part; 0 segments means 1. */
static __always_inline __u16 read_segs(struct sk_buff *skb)
{
	struct skb_shared_info *info = (void *)(GET(skb, head) + GET(skb, end));
	__u16 segs = 0;

	bpf_core_read(&segs, sizeof(segs), &info->gso_segs);
	return segs ?: 1;
}

/* Was the checksum of what is dropped computed, and found wrong? @named is the
 * reason that says so, 0 where this kernel has none. */
static __always_inline bool has_bad_checksum(struct sk_buff *skb, __u32 reason,
					     __u32 named)
{
	return (GET_BITS(skb, csum_complete_sw) &&
		!GET_BITS(skb, csum_valid)) ||
	       (named && reason == named);
}

enum {
	TCPOPT_NOP = 1,
	TCPOPT_MD5SIG = 19,
	TCPOPT_AO = 29,
	TCPOLEN_MD5SIG = 18,
	TCPOLEN_AO_MIN = 5,
};

/* A TIME_WAIT minisock is not. */
static __always_inline bool is_full(const struct sock *sk)
{
	return sk && GET(sk, __sk_common.skc_state) != TCP_TIME_WAIT;
}

/* Can it sign by TCP-AO what answers @sk's segment, NULL being nobody? */
static __always_inline bool has_ao_key(const struct sock *sk)
{
	struct tcp_timewait_sock *tw = (void *)sk;

	/* A full one would have refused what it has no key for. */
	if (!sk || is_full(sk))
		return sk && bpf_core_field_exists(struct tcp_sock, ao_info);
	return bpf_core_field_exists(tw->ao_info) && BPF_CORE_READ(tw, ao_info);
}

/*
 * Is it signed, by TCP-MD5 or TCP-AO, so that it has no answer? That would have to be
 * signed, too, and the key of what is nobody's went with the socket (if no listener
 * has it, on the port where it came from); a TIME_WAIT minisock, as @sk may be, is
 * not asked for that of TCP-MD5. Since 6.7 there is none either where the options
 * cannot be read for a signature. As tcp_parse_md5sig_option() and
 * tcp_do_parse_auth_options(), of a header that is in the linear part.
 */
static __always_inline bool is_signed(struct sk_buff *skb,
				      const struct sock *sk, __u8 family)
{
	const unsigned char *th = GET(skb, head) + GET(skb, transport_header);
	bool has_md5 = bpf_core_field_exists(struct tcp_sock, md5sig_info);
	bool has_ao = bpf_core_field_exists(struct tcp_sock, ao_info);
	bool strict = (has_md5 || has_ao) &&
		      bpf_core_enum_value_exists(enum skb_drop_reason,
						 SKB_DROP_REASON_TCP_AUTH_HDR);
	bool asks_no_md5 = has_md5 && !is_full(sk), knows_ao = has_ao_key(sk);
	__u8 options[41] = {}, offset = 0; /* one more, for a length */
	int left, next = 0;

	if (bpf_probe_read_kernel(&offset, 1, th + 12) ||
	    bpf_probe_read_kernel(options, 40, th + 20))
		return false;
	left = (offset >> 4) * 4 - 20;
	for (int i = 0; i < 40; i++, left--) {
		if (i != next)
			continue;
		if (left < (has_ao ? TCPOLEN_AO_MIN : TCPOLEN_MD5SIG) ||
		    !options[i])
			return false;
		next = i + 1;
		if (options[i] == TCPOPT_NOP)
			continue;
		if (options[i + 1] < 2 || options[i + 1] > left)
			return strict;
		if (options[i] == TCPOPT_MD5SIG)
			return options[i + 1] == TCPOLEN_MD5SIG ? asks_no_md5 :
								  strict;
		/* Without TCP-AO, IPv4 gives no answer, IPv6 passes it over. */
		if (options[i] == TCPOPT_AO && strict &&
		    (has_ao || family == 4 || options[i + 1] < TCPOLEN_AO_MIN))
			return options[i + 1] < TCPOLEN_AO_MIN || !knows_ao;
		next = i + options[i + 1];
	}
	return false;
}

#endif
