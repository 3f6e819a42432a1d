// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - numbers and bytes as names and texts. Knows no stage.
 */
#include "names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

#define LOOK_UP(table, i) \
	((i) < sizeof(table) / sizeof((table)[0]) ? (table)[i] : NULL)

const char *names_outcome(unsigned int outcome)
{
	static const char *const names[] = {
		[DEMUX_ESTABLISHED] = "established",
		[DEMUX_LISTENER] = "listener",
		[DEMUX_REQUEST] = "request",
		[DEMUX_TIME_WAIT] = "time_wait",
		[DEMUX_NONE] = "none",
		[DEMUX_REFUSED] = "refused",
		[DEMUX_MALFORMED] = "malformed",
	};

	return LOOK_UP(names, outcome);
}

const char *names_datagram(unsigned int outcome)
{
	static const char *const names[] = {
		[DEMUX_CONNECTED] = "connected",
		[DEMUX_UNCONNECTED] = "unconnected",
		[DEMUX_MULTICAST] = "multicast",
		[DEMUX_NOBODY] = "none",
		[DEMUX_DENIED] = "refused",
		[DEMUX_BAD_DATAGRAM] = "malformed",
	};

	return LOOK_UP(names, outcome);
}

const char *names_group_by(unsigned int by)
{
	static const char *const names[] = {
		[DEMUX_GROUP_BY_HASH] = "hash",
		[DEMUX_GROUP_BY_BPF] = "bpf",
		[DEMUX_GROUP_BY_CPU] = "cpu",
	};

	return LOOK_UP(names, by);
}

const char *names_via(unsigned int via)
{
	static const char *const names[] = {
		[DEMUX_EARLY_DEMUX] = "early_demux",
		[DEMUX_LOOKUP] = "lookup",
		[DEMUX_ASSIGNED] = "assigned",
	};

	return LOOK_UP(names, via);
}

const char *names_detail(unsigned int detail)
{
	static const char *const names[] = {
		[DEMUX_TAKEN_UP] = "taken_up",
		[DEMUX_BACKLOG] = "backlog",
		[DEMUX_BACKLOG_FULL] = "backlog_full",
		[DEMUX_REQUEST_MADE] = "request_made",
		[DEMUX_SYN_DROPPED] = "syn_dropped",
		[DEMUX_COOKIE_SENT] = "cookie_sent",
		[DEMUX_COOKIE_ACCEPTED] = "cookie_accepted",
		[DEMUX_IGNORED] = "ignored",
		[DEMUX_CHILD] = "child",
		[DEMUX_SYN_REPEATED] = "syn_repeated",
		[DEMUX_BAD_ACK] = "bad_ack",
		[DEMUX_STOLEN] = "stolen",
		[DEMUX_LISTENER_CLOSED] = "listener_closed",
		[DEMUX_KEPT] = "kept",
		[DEMUX_SWALLOWED] = "swallowed",
		[DEMUX_ACKED] = "acked",
		[DEMUX_REOPENED] = "reopened",
		[DEMUX_RESET] = "reset",
		[DEMUX_SILENT] = "silent",
		[DEMUX_BY_FILTER] = "filter",
		[DEMUX_BY_POLICY] = "policy",
		[DEMUX_BY_MD5] = "md5",
		[DEMUX_BY_AO] = "ao",
		[DEMUX_BY_TTL] = "ttl",
		[DEMUX_BY_OTHER] = "other",
		[DEMUX_BAD_HEADER] = "header",
		[DEMUX_BAD_CHECKSUM] = "checksum",
		[DEMUX_ENDED] = "ended",
	};

	return LOOK_UP(names, detail);
}

const char *names_assigned_by(unsigned int by)
{
	static const char *const names[] = {
		[DEMUX_BY_TPROXY] = "tproxy",
		[DEMUX_BY_SK_ASSIGN] = "bpf_sk_assign",
	};

	return LOOK_UP(names, by);
}

const char *names_assigner(unsigned int by)
{
	static const char *const names[] = {
		"a rule or a program",
		[DEMUX_BY_TPROXY] = "TPROXY",
		[DEMUX_BY_SK_ASSIGN] = "a BPF program (bpf_sk_assign)",
	};

	return LOOK_UP(names, by) ?: names[0];
}

const char *names_sk_lookup(char to[NAMES_PROGRAM_MAX], unsigned int id,
			    bool is_several)
{
	snprintf(to, NAMES_PROGRAM_MAX,
		 !id        ? "a BPF program (sk_lookup)" :
		 is_several ? "one of the BPF programs (sk_lookup, the first: "
			      "id %u)" :
			      "the BPF program (sk_lookup, id %u)",
		 id);
	return to;
}

const char *names_state(unsigned int state)
{
	static const char *const names[] = {
		/* include/net/tcp_states.h */
		[1] = "ESTABLISHED",     [2] = "SYN_SENT",
		[3] = "SYN_RECV",        [4] = "FIN_WAIT1",
		[5] = "FIN_WAIT2",       [6] = "TIME_WAIT",
		[7] = "CLOSE",           [8] = "CLOSE_WAIT",
		[9] = "LAST_ACK",        [10] = "LISTEN",
		[11] = "CLOSING",        [12] = "NEW_SYN_RECV",
		[13] = "BOUND_INACTIVE",
	};

	return LOOK_UP(names, state);
}

const char *names_udp_state(unsigned int state)
{
	static const char *const names[] = {
		[1] = "CONNECTED", /* TCP_ESTABLISHED */
		[7] = "UNCONNECTED", /* TCP_CLOSE */
	};

	return LOOK_UP(names, state);
}

struct bit_name {
	unsigned int bit;
	const char *name;
};

/* "A|B"; the last of @names has no name. */
static void join_bits(char *to, unsigned int bits, const struct bit_name *names)
{
	char *end = to;

	for (; names->name; names++) {
		if (!(bits & names->bit))
			continue;
		if (end != to)
			*end++ = '|';
		end = stpcpy(end, names->name);
	}
	*end = '\0';
}

void names_flags(char to[NAMES_FLAGS_MAX], unsigned int flags)
{
	/* In the order in which people say them: SYN|ACK, FIN|PSH|ACK. */
	static const struct bit_name names[] = {
		{ 0x002, "SYN" }, { 0x001, "FIN" }, { 0x004, "RST" },
		{ 0x008, "PSH" }, { 0x010, "ACK" }, { 0x020, "URG" },
		{ 0x040, "ECE" }, { 0x080, "CWR" }, { 0x100, "AE" },
		{ 0, NULL },
	};

	join_bits(to, flags, names);
}

void names_predicted(char to[NAMES_PREDICTED_MAX], unsigned int bits)
{
	static const struct bit_name names[] = {
		{ DEMUX_PREDICTED_OUTCOME, "outcome" },
		{ DEMUX_PREDICTED_SOCK, "sock" },
		{ DEMUX_PREDICTED_PARENT, "parent" },
		{ DEMUX_PREDICTED_VIA, "via" },
		{ 0, NULL },
	};

	join_bits(to, bits, names);
}

void names_score(char to[NAMES_SCORE_MAX], unsigned int parts)
{
	static const struct bit_name names[] = {
		{ DEMUX_SCORE_BASE, "base" },
		{ DEMUX_SCORE_RADDR, "raddr" },
		{ DEMUX_SCORE_RPORT, "rport" },
		{ DEMUX_SCORE_DEVICE, "device" },
		{ DEMUX_SCORE_CPU, "incoming_cpu" },
		{ 0, NULL },
	};

	join_bits(to, parts, names);
}

/* Half of what sinks write is numbers: two digits a division. */
char *names_number(char *to, uint64_t number)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char digits[NAMES_NUMBER_MAX], *at = digits + sizeof(digits) - 1;
	size_t len;

	*at = '\0';
	while (number >= 100) {
		memcpy(at -= 2, pairs + number % 100 * 2, 2);
		number /= 100;
	}
	if (number >= 10)
		memcpy(at -= 2, pairs + number * 2, 2);
	else
		*--at = '0' + number;
	len = digits + sizeof(digits) - 1 - at;
	memcpy(to, at, len + 1);
	return to + len;
}

static char *put_byte(char *to, unsigned int byte)
{
	if (byte >= 100)
		*to++ = '0' + byte / 100;
	if (byte >= 10)
		*to++ = '0' + byte / 10 % 10;
	*to++ = '0' + byte % 10;
	return to;
}

void names_addr(char to[NAMES_ADDR_MAX], const uint8_t *bytes, int family)
{
	if (family == 6) {
		inet_ntop(AF_INET6, bytes, to, NAMES_ADDR_MAX);
		return;
	}
	/* Four addresses a line: glibc's inet_ntop would be half of its cost. */
	for (int i = 0; i < 4; i++) {
		to = put_byte(to, bytes[i]);
		*to++ = '.';
	}
	to[-1] = '\0';
}

static int is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

char *names_printable(const char *text)
{
	char *copy = malloc(strlen(text) * 4 + 1), *to = copy;

	if (!copy)
		return NULL;
	for (; *text; text++) {
		unsigned char byte = *text;

		if (is_plain(byte) || byte == '\n' || byte == '\\')
			*to++ = byte;
		else
			to += sprintf(to, "\\x%02x", byte);
	}
	*to = '\0';
	return copy;
}

void names_escape(char *to, size_t size, const char *bytes, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len && bytes[i] && used + 5 <= size; i++) {
		unsigned char byte = bytes[i];

		if (is_plain(byte))
			to[used++] = byte;
		else
			used += snprintf(to + used, 5, "\\x%02x", byte);
	}
	to[used] = '\0';
}
