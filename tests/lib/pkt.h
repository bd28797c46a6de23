/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets for tests: a description that becomes an Ethernet frame with right lengths and checksums,
 * and a comparison that names the header fields in which two frames differ.
 * Shares nothing with the product: its sums and offsets are the tests' own.
 */
#ifndef TESTS_LIB_PKT_H
#define TESTS_LIB_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKT_MAX 4096
#define PKT_MAX_EXT 4
#define PKT_ETH_LEN 14

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/* An address as it stands in the packet; IPv4 uses the first four bytes. */
struct pkt_addr {
	uint8_t byte[16];
};

/* An IPv6 extension header, len bytes long (a multiple of 8), filled with padding options. */
struct pkt_ext {
	uint8_t type; /* IPPROTO_HOPOPTS, _DSTOPTS, _ROUTING; fragment headers come from frag_len */
	uint8_t len;
	uint8_t routing_type;
	uint8_t segments_left;
};

/* All numbers are in the host's byte order. Zero means the default where one is named. */
struct pkt_spec {
	int af;
	uint8_t dmac[6];
	uint8_t smac[6];
	uint16_t ethertype; /* default: the family's */
	bool vlan;	    /* with an 802.1Q tag in the frame itself */
	struct pkt_addr src;
	struct pkt_addr dst;
	uint8_t ttl;
	uint8_t tos;
	uint32_t id; /* of the datagram: IPv4 header (16 bits), IPv6 fragment header */
	bool df;
	const uint8_t *options; /* IPv4, options_len bytes: a multiple of 4 */
	size_t options_len;
	struct pkt_ext ext[PKT_MAX_EXT];
	unsigned int num_ext;
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	const uint8_t *tcp_options; /* tcp_options_len bytes: a multiple of 4 */
	size_t tcp_options_len;
	bool no_csum;	     /* UDP: sent with checksum 0 */
	uint16_t csum_error; /* ones' complement error in the L4 checksum, to prove that it stays */
	uint8_t type;	     /* ICMP, ICMPv6 */
	uint8_t code;
	uint32_t rest; /* of the ICMP header: MTU, id and sequence, ... */
	const struct pkt_spec *quote; /* or what is in an IPPROTO_IPIP or _IPV6 packet */
	size_t quote_len; /* bytes of the quoted IP packet; default: all */
	size_t payload_len;
	uint16_t seed;	   /* of the payload's bytes: its first two, if payload_len is 2 */
	size_t frag_start; /* this frame carries bytes frag_start.. of the L4 datagram, */
	size_t frag_len;   /* frag_len of them; default: it is not fragmented */
	size_t l4_len;	   /* the IP packet ends after that many bytes of L4; default: all */
	size_t cut;	   /* the frame lacks that many bytes at its end; lengths in headers stay */
};

struct pkt {
	size_t len;
	size_t l4; /* offset of the L4 header */
	uint8_t data[PKT_MAX];
};

/* Parses "192.0.2.1" or "2001:db8::1"; ends the program on anything else. */
struct pkt_addr pkt_addr(const char *text);

void pkt_build(struct pkt *pkt, const struct pkt_spec *spec);

/* Ones' complement sum of len bytes on top of sum, folded to 16 bits; not complemented. */
uint16_t pkt_sum(const void *data, size_t len, uint32_t sum);

/* True if both are the same; otherwise diagnostics say where they differ and show both. */
bool pkt_same(const struct pkt *got, const struct pkt *want);

void pkt_dump(const char *title, const struct pkt *pkt);

#endif
