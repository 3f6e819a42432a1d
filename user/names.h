/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names.h - numbers and bytes as the names and texts that people read: the
 * field's standard terms (RFC 9293, the kernel, ss). Knows no stage.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns NULL for a number that has no name; names_assigner() leaves open
 * then who it was. */
const char *names_outcome(unsigned int outcome); /* enum demux_outcome */
const char *names_datagram(unsigned int outcome); /* demux_datagram_outcome */
const char *names_group_by(unsigned int by); /* enum demux_group_by */
const char *names_via(unsigned int via); /* enum demux_via */
const char *names_detail(unsigned int detail); /* enum demux_detail */
const char *names_assigned_by(unsigned int by); /* enum demux_assigned_by */
const char *names_assigner(unsigned int by); /* the same in a sentence */
const char *names_state(unsigned int state); /* TCP_*: "ESTABLISHED" */
const char *names_udp_state(unsigned int state); /* "UNCONNECTED" */

#define NAMES_PROGRAM_MAX 64
/* Who may choose before the tables do: the BPF program with that @id, of several one,
 * and @id is the first; 0: not known. */
const char *names_sk_lookup(char to[NAMES_PROGRAM_MAX], unsigned int id,
			    bool is_several);

#define NAMES_FLAGS_MAX 64
/* TCP flags, "SYN|ACK", "" for none. */
void names_flags(char to[NAMES_FLAGS_MAX], unsigned int flags);

#define NAMES_PREDICTED_MAX 32
/* enum demux_predicted, "outcome|sock", "" for none. */
void names_predicted(char to[NAMES_PREDICTED_MAX], unsigned int bits);

#define NAMES_SCORE_MAX 40
/* enum demux_score_part, "base|raddr|rport", "" for none. */
void names_score(char to[NAMES_SCORE_MAX], unsigned int parts);

#define NAMES_ADDR_MAX 46
/* @bytes in network order, @family 4 or 6. */
void names_addr(char to[NAMES_ADDR_MAX], const uint8_t *bytes, int family);

#define NAMES_NUMBER_MAX 21
/* Decimal digits and a NUL; returns where that is. */
char *names_number(char *to, uint64_t number);

/* A copy of @text with all but printable ASCII as \xNN; newlines stay. NULL
 * where memory ran out; the caller frees it. */
char *names_printable(const char *text);

/* The same for bytes that end at @len or a NUL, into @to, cut if too long; no
 * newline stays. */
void names_escape(char *to, size_t size, const char *bytes, size_t len);

#endif
