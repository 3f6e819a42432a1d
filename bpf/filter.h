/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * filter.h - is this segment, or this socket, wanted? Pure: values in, value
 * out; the unit tests compile it for the host. First stage after the hook.
 */
#ifndef DEMUX_FILTER_H
#define DEMUX_FILTER_H

#include "config.h"
#include "event.h"
#include "tcp_states.h"

static inline int filter_port(const volatile struct demux_config *wanted,
			      __u16 port)
{
	return wanted->any_port || wanted->ports[port >> 3] & 1 << (port & 7);
}

/* @family is 4 or 6. */
static inline int filter_family(const volatile struct demux_config *wanted,
				__u8 family)
{
	return wanted->families & (family == 4 ? DEMUX_IPV4 : DEMUX_IPV6);
}

static inline int filter_netns(const volatile struct demux_config *wanted,
			       __u32 netns)
{
	return !wanted->netns || wanted->netns == netns;
}

/* ::ffff:a.b.c.d, an IPv4 address in an IPv6 socket */
static inline int is_mapped(const __u8 *addr)
{
	for (int i = 0; i < 10; i++)
		if (addr[i])
			return 0;
	return addr[10] == 0xff && addr[11] == 0xff;
}

static inline int is_any4(const __u8 *addr)
{
	return !(addr[0] | addr[1] | addr[2] | addr[3]);
}

static inline int is_any(const __u8 *addr)
{
	for (int i = 0; i < 16; i++)
		if (addr[i])
			return 0;
	return 1;
}

/* Has @sock a remote end? One of UDP may have an address alone: connect() takes
 * port 0, which is any. */
static inline int is_connected(const struct demux_sock *sock)
{
	return sock->ends.rport ||
	       (sock->flags & DEMUX_SOCK_UDP && sock->state == TCP_ESTABLISHED);
}

/* Does @addr, of so many bytes, lie in the remote network? How many is known
 * when this is compiled, and the length of the prefix when it is loaded. */
static inline int is_in_network(const volatile struct demux_config *wanted,
				const __u8 *addr, int bytes)
{
	int bits = wanted->remote_bits;

	for (int i = 0; i < bytes && bits > 0; i++, bits -= 8) {
		__u8 differs = wanted->remote[i] ^ addr[i];

		if (bits < 8 ? differs >> (8 - bits) : differs)
			return 0;
	}
	return 1;
}

/* An IPv4 network has the IPv4 peers of IPv6 sockets as well; an IPv6 network,
 * also ::/0, has none of them: their segments are IPv4. */
static inline int filter_raddr(const volatile struct demux_config *wanted,
			       const struct demux_ends *ends)
{
	const __u8 *addr = ends->raddr;

	if (!wanted->remote_family)
		return 1;
	if (ends->family == 4)
		return wanted->remote_family == 4 &&
		       is_in_network(wanted, addr, 4);
	if (is_mapped(addr))
		return wanted->remote_family == 4 &&
		       is_in_network(wanted, addr + 12, 4);
	return wanted->remote_family == 6 && is_in_network(wanted, addr, 16);
}

static inline int filter_rport(const volatile struct demux_config *wanted,
			       const struct demux_ends *ends)
{
	return !wanted->remote_port || wanted->remote_port == ends->rport;
}

static inline int filter_remote(const volatile struct demux_config *wanted,
				const struct demux_ends *ends)
{
	return filter_rport(wanted, ends) && filter_raddr(wanted, ends);
}

/* A segment or datagram that came in there, by what is not cheap to know. */
static inline int filter_arrival(const volatile struct demux_config *wanted,
				 __u32 netns, const struct demux_ends *ends)
{
	return filter_netns(wanted, netns) && filter_remote(wanted, ends);
}

/* Segments of which families can @sock get? An IPv6 socket gets IPv4 ones if
 * its ends are mapped, or if it listens on :: and is not IPv6 only. */
static inline int sock_families(const struct demux_sock *sock)
{
	const struct demux_ends *ends = &sock->ends;

	if (ends->family == 4 || is_mapped(ends->laddr))
		return DEMUX_IPV4;
	if (is_any(ends->laddr) &&
	    (is_any(ends->raddr) || !is_connected(sock)) &&
	    !(sock->flags & DEMUX_SOCK_V6ONLY))
		return DEMUX_IPV4 | DEMUX_IPV6;
	return DEMUX_IPV6;
}

/* @proto is one of enum demux_protos. */
static inline int filter_proto(const volatile struct demux_config *wanted,
			       __u8 proto)
{
	return (wanted->protos ?: DEMUX_TCP) & proto;
}

static inline int filter_sock(const volatile struct demux_config *wanted,
			      const struct demux_sock *sock)
{
	/* One without a remote port or address, as a listener, may get anybody's. */
	return filter_proto(wanted, sock->flags & DEMUX_SOCK_UDP ? DEMUX_UDP :
								   DEMUX_TCP) &&
	       filter_port(wanted, sock->ends.lport) &&
	       filter_netns(wanted, sock->netns) &&
	       (!sock->ends.rport || filter_rport(wanted, &sock->ends)) &&
	       (!is_connected(sock) || filter_raddr(wanted, &sock->ends)) &&
	       (wanted->families == (DEMUX_IPV4 | DEMUX_IPV6) ||
		wanted->families & sock_families(sock));
}

#endif
