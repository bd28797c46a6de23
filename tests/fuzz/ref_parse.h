/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second parser of the same headers, for comparison with bpf/pkt/parse.h: written from the RFCs,
 * slow and plain, on a frame that is there as a whole.
 */
#ifndef TESTS_FUZZ_REF_PARSE_H
#define TESTS_FUZZ_REF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ref_verdict { REF_OK, REF_OTHER, REF_MALFORMED };

struct ref_pkt {
	bool quoted; /* told by the caller: the packet stands in an ICMP error, and may be cut short */
	bool fragment, later, source_route, dont_fragment;
	size_t l3_len;
	size_t l4_off;
	size_t l4_len;	  /* TCP, UDP: of the transport header as it says itself */
	uint32_t frag_id; /* as in the packet, read big-endian */
	uint16_t sport, dport;
	uint8_t proto, frag_proto, ttl;
	uint8_t flags; /* TCP flags, ICMP type */
};

enum ref_verdict ref_parse4(const uint8_t *frame, size_t len, struct ref_pkt *ret);
enum ref_verdict ref_parse6(const uint8_t *frame, size_t len, struct ref_pkt *ret);

#endif
