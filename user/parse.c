// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse.c - texts of the command line become numbers, here and nowhere else.
 * Belongs to options.c.
 */
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"

#define RING_SIZE_MAX (1u << 30)

/* Digits alone, from @min to @max; *end is where they stop. */
static bool read_number(const char *text, const char **end, uint64_t min,
			uint64_t max, uint64_t *number)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &stop, 10);
	*end = stop;
	return !errno && *number >= min && *number <= max;
}

bool parse_number(const char *text, uint64_t min, uint64_t max,
		  uint64_t *number)
{
	const char *end;

	return read_number(text, &end, min, max, number) && !*end;
}

bool parse_ports(const char *list, struct demux_config *wanted)
{
	const char *at = list;
	uint64_t first, last;

	do {
		if (!read_number(at, &at, 1, 65535, &first))
			return false;
		last = first;
		if (*at == '-' &&
		    !read_number(at + 1, &at, first, 65535, &last))
			return false;
		for (uint64_t port = first; port <= last; port++)
			wanted->ports[port >> 3] |= 1 << (port & 7);
	} while (*at++ == ',');
	wanted->any_port = 0;
	return !at[-1];
}

bool parse_seconds(const char *text, uint64_t *ns)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	if (errno || end == text || *end || !(number >= 1e-9) || number > 1e9 ||
	    text[strspn(text, "0123456789.")])
		return false;
	*ns = number * 1e9;
	return true;
}

/* The kernel wants a power of two of whole pages. */
bool parse_ring_size(const char *text, size_t *size)
{
	const char *end;
	uint64_t number;

	if (!read_number(text, &end, 1, RING_SIZE_MAX, &number))
		return false;
	if (*end == 'k' || *end == 'K') {
		number <<= 10;
		end++;
	} else if (*end == 'm' || *end == 'M') {
		number <<= 20;
		end++;
	}
	for (*size = getpagesize(); *size < number; *size *= 2)
		;
	return !*end && number <= RING_SIZE_MAX;
}

/* --- the remote end ------------------------------------------------------- */

/* Copies the address and returns what follows it, or NULL. One colon begins a
 * port; more are an IPv6 address, which ends at ']', at '/' or not at all. */
static const char *take_addr(const char *text, char *addr, size_t size)
{
	const char *colon = strchr(text, ':'), *end = text + strlen(text);
	bool bracketed = *text == '[';

	if (bracketed) {
		text++;
		end = strchr(text, ']');
	} else if (strchr(text, '/')) {
		end = strchr(text, '/');
	} else if (colon && !strchr(colon + 1, ':')) {
		end = colon;
	}
	if (!end || (size_t)(end - text) >= size)
		return NULL;
	memcpy(addr, text, end - text);
	addr[end - text] = '\0';
	return end + bracketed;
}

/* 4, 6, or 0 for what is no address. ::ffff:a.b.c.d stays one of IPv6. */
static int read_addr(const char *text, uint8_t addr[16])
{
	memset(addr, 0, 16);
	if (inet_pton(AF_INET6, text, addr) == 1)
		return 6;
	return inet_pton(AF_INET, text, addr) == 1 ? 4 : 0;
}

/* Clears what lies below the prefix. Was there something? */
static bool mask_addr(uint8_t addr[16], unsigned int bits)
{
	uint8_t before[16];

	memcpy(before, addr, sizeof(before));
	for (unsigned int bit = bits; bit < 128; bit++)
		addr[bit / 8] &= ~(0x80 >> bit % 8);
	return memcmp(before, addr, sizeof(before));
}

/* Checks what parse_remote() has taken apart, and takes it. */
static bool set_network(struct demux_config *wanted, int family,
			uint8_t addr[16], uint64_t bits,
			char why[PARSE_WHY_MAX])
{
	char network[INET6_ADDRSTRLEN];

	if (family == 6 && bits >= 96 && is_mapped(addr)) {
		family = 4;
		bits -= 96;
		memmove(addr, addr + 12, 4);
		memset(addr + 4, 0, 12);
	}
	if (mask_addr(addr, bits)) {
		inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, network,
			  sizeof(network));
		snprintf(why, PARSE_WHY_MAX,
			 "the address has bits that its prefix does not cover; "
			 "that network is %s/%u",
			 network, (unsigned int)bits);
		return false;
	}
	wanted->remote_family = family;
	wanted->remote_bits = bits;
	memcpy(wanted->remote, addr, 16);
	return true;
}

bool parse_remote(const char *text, struct demux_config *wanted,
		  char why[PARSE_WHY_MAX])
{
	char name[INET6_ADDRSTRLEN] = "";
	const char *at = take_addr(text, name, sizeof(name));
	uint64_t bits, port = 0;
	uint8_t addr[16];
	int family = read_addr(name, addr);

	snprintf(why, PARSE_WHY_MAX,
		 "it must be as 192.0.2.7, 192.0.2.0/24, 192.0.2.7:443, "
		 "2001:db8::/32, [2001:db8::1]:443, or :443 for any address");
	if (!at || (*text == '[' && family != 6))
		return false;
	bits = family == 4 ? 32 : 128;
	if (family && *at == '/' && !read_number(at + 1, &at, 0, bits, &bits))
		return false;
	if (*at == ':' && !read_number(at + 1, &at, 1, 65535, &port))
		return false;
	if (*at || (!family && (!port || (*name && strcmp(name, "*")))))
		return false;
	if (family && !set_network(wanted, family, addr, bits, why))
		return false;
	wanted->remote_port = port;
	return true;
}
