/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf/pkt/parse.h: what it says of one frame of each kind. `test_pkt_parse FOLDER` writes the same
 * frames there as the first inputs of the fuzz target: tests/fuzz/corpus/parse is made that way,
 * but for what the fuzzer has found (found-*).
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "pkt.h"
#include "pkt/parse.h"
#include "tap.h"

#define FRAGMENT IVB_PKT_FRAGMENT
#define LATER IVB_PKT_LATER
#define ROUTED IVB_PKT_SOURCE_ROUTE
#define DF IVB_PKT_DONT_FRAGMENT

static const uint8_t nops[] = { 1, 1, 1, 0 };
static const uint8_t record_route[] = { 7, 7, 4, 0, 0, 0, 0, 0 };
static const uint8_t lsrr[] = { 1, 131, 7, 4, 192, 0, 2, 1 };
static const uint8_t ssrr[] = { 137, 7, 4, 192, 0, 2, 1, 0 };
static const uint8_t too_long[] = { 7, 9, 4, 0 };
static const uint8_t too_short[] = { 7, 1, 4, 0 };
static const uint8_t hidden_lsrr[] = { 7, 4, 131, 0, 0, 131, 7, 4 };

/* what: a list of the spec's fields */
#define V4(what...)                                                        \
	{                                                                  \
		.af = AF_INET, .ttl = 64, .sport = 1025, .dport = 80, what \
	}
#define V6(what...)                                                         \
	{                                                                   \
		.af = AF_INET6, .ttl = 64, .sport = 1025, .dport = 80, what \
	}
#define TCP .proto = IPPROTO_TCP, .flags = TCP_SYN
#define UDP .proto = IPPROTO_UDP, .payload_len = 40
#define OPTIONS(list) .options = (list), .options_len = sizeof(list)
#define HOP                              \
	{                                \
		IPPROTO_HOPOPTS, 8, 0, 0 \
	}
#define DST                               \
	{                                 \
		IPPROTO_DSTOPTS, 16, 0, 0 \
	}
#define RH(left)                            \
	{                                   \
		IPPROTO_ROUTING, 8, 4, left \
	}
#define FRAG(start, len) .id = 0x1234, .frag_start = (start), .frag_len = (len)

static const struct parse_case {
	const char *title;
	struct pkt_spec spec;
	int want; /* enum ivb_parse */
	uint32_t flags;
	uint32_t l4_off;
} cases[] = {
	{ "v4-tcp", V4(TCP), IVB_PARSE_OK, 0, 34 },
	{ "v4-tcp-df", V4(TCP, .df = true), IVB_PARSE_OK, DF, 34 },
	{ "v4-udp", V4(UDP), IVB_PARSE_OK, 0, 34 },
	{ "v4-icmp", V4(.proto = IPPROTO_ICMP, .type = 3), IVB_PARSE_OK, 0, 34 },
	{ "v4-icmpv6", V4(.proto = IPPROTO_ICMPV6, .type = 3), IVB_PARSE_OTHER, 0, 0 },
	{ "v4-sctp", V4(.proto = 132, .payload_len = 20), IVB_PARSE_OTHER, 0, 0 },
	{ "v4-nops", V4(TCP, OPTIONS(nops)), IVB_PARSE_OK, 0, 38 },
	{ "v4-record-route", V4(TCP, OPTIONS(record_route)), IVB_PARSE_OK, 0, 42 },
	{ "v4-lsrr", V4(TCP, OPTIONS(lsrr)), IVB_PARSE_OK, ROUTED, 42 },
	{ "v4-ssrr", V4(UDP, OPTIONS(ssrr)), IVB_PARSE_OK, ROUTED, 42 },
	{ "v4-lsrr-in-option-data", V4(UDP, OPTIONS(hidden_lsrr)), IVB_PARSE_OK, 0, 42 },
	{ "v4-option-too-long", V4(TCP, OPTIONS(too_long)), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-option-too-short", V4(TCP, OPTIONS(too_short)), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-ends-with-options", V4(.proto = 132, OPTIONS(nops)), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-first-fragment", V4(UDP, FRAG(0, 24)), IVB_PARSE_OK, FRAGMENT, 34 },
	{ "v4-middle-fragment", V4(UDP, FRAG(24, 16)), IVB_PARSE_OK, FRAGMENT | LATER, 34 },
	{ "v4-last-fragment", V4(UDP, FRAG(40, 99)), IVB_PARSE_OK, FRAGMENT | LATER, 34 },
	{ "v4-tiny-fragment", V4(TCP, FRAG(0, 8)), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-tcp-cut", V4(TCP, .l4_len = 12), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-udp-cut", V4(UDP, .l4_len = 7), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-frame-cut", V4(TCP, .cut = 1), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v4-header-cut", V4(TCP, .cut = 21), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v6-tcp", V6(TCP), IVB_PARSE_OK, 0, 54 },
	{ "v6-udp", V6(UDP), IVB_PARSE_OK, 0, 54 },
	{ "v6-icmpv6", V6(.proto = IPPROTO_ICMPV6, .type = 1), IVB_PARSE_OK, 0, 54 },
	{ "v6-icmp", V6(.proto = IPPROTO_ICMP, .type = 1), IVB_PARSE_OTHER, 0, 0 },
	{ "v6-no-next", V6(.proto = 59), IVB_PARSE_OTHER, 0, 0 },
	{ "v6-hop-dst", V6(TCP, .ext = { HOP, DST }, .num_ext = 2), IVB_PARSE_OK, 0, 78 },
	{ "v6-routing-0", V6(UDP, .ext = { RH(0) }, .num_ext = 1), IVB_PARSE_OK, 0, 62 },
	{ "v6-routing-1", V6(UDP, .ext = { RH(1) }, .num_ext = 1), IVB_PARSE_OK, ROUTED, 62 },
	{ "v6-first-fragment", V6(UDP, FRAG(0, 24)), IVB_PARSE_OK, FRAGMENT, 62 },
	{ "v6-middle-fragment", V6(UDP, FRAG(24, 16)), IVB_PARSE_OK, FRAGMENT | LATER, 62 },
	{ "v6-atomic-fragment", V6(UDP, FRAG(0, 99)), IVB_PARSE_OK, 0, 62 },
	{ "v6-hop-fragment", V6(TCP, .ext = { HOP }, .num_ext = 1, FRAG(0, 0)), IVB_PARSE_OK, 0,
	  62 },
	{ "v6-tcp-cut", V6(TCP, .l4_len = 12), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v6-frame-cut", V6(TCP, .cut = 1), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v6-header-cut", V6(TCP, .cut = 21), IVB_PARSE_MALFORMED, 0, 0 },
	{ "v6-ext-cut", V6(TCP, .ext = { HOP, DST }, .num_ext = 2, .cut = 21), IVB_PARSE_MALFORMED,
	  0, 0 },
};

/* On a copy that ends where it may be read, with the IP header aligned as in the kernel. */
static int parse_as(const struct pkt *pkt, size_t linear, int af, bool quoted, struct ivb_pkt *p)
{
	uint8_t *buffer = malloc(2 + linear), *copy = buffer + 2;
	int r;

	memcpy(copy, pkt->data, linear);
	memset(p, 0, sizeof(*p));
	r = af == AF_INET ? ivb_parse(copy, copy + linear, pkt->len, AF_INET, quoted, p)
			  : ivb_parse(copy, copy + linear, pkt->len, AF_INET6, quoted, p);
	free(buffer);
	return r;
}

static int parse(const struct pkt *pkt, size_t linear, int af, struct ivb_pkt *p)
{
	return parse_as(pkt, linear, af, false, p);
}

static void test_case(const struct parse_case *c)
{
	struct ivb_pkt p;
	struct pkt pkt;

	pkt_build(&pkt, &c->spec);
	if (!is_int(parse(&pkt, pkt.len, c->spec.af, &p), c->want, "%s", c->title) ||
	    c->want != IVB_PARSE_OK)
		return;
	is_int(p.flags, c->flags, "%s: flags", c->title);
	is_int(p.l4_off, c->l4_off, "%s: l4_off", c->title);
	is_int(p.proto, c->spec.proto, "%s: protocol", c->title);
	is_int(p.ttl, 64, "%s: ttl", c->title);
	if (c->flags & FRAGMENT)
		is_int(p.frag_id, c->spec.af == AF_INET ? bpf_htons(0x1234) : bpf_htonl(0x1234),
		       "%s: fragment id", c->title);
	if (c->flags & LATER)
		return;
	if (c->spec.proto == IPPROTO_TCP || c->spec.proto == IPPROTO_UDP) {
		is_int(bpf_ntohs(p.sport), 1025, "%s: sport", c->title);
		is_int(bpf_ntohs(p.dport), 80, "%s: dport", c->title);
	}
	is_int(p.tcp_flags, c->spec.proto == IPPROTO_TCP ? c->spec.flags : c->spec.type,
	       "%s: flags or type", c->title);
}

/* Wherever the linear part ends, what is asked for is more and there, and the answer stays. */
static void test_pulls(const struct parse_case *c)
{
	unsigned int wrong = 0;
	struct pkt pkt;

	pkt_build(&pkt, &c->spec);
	for (size_t start = ETH_HLEN; start < pkt.len; start++) {
		size_t linear = start;
		struct ivb_pkt p;
		int r;

		while ((r = parse(&pkt, linear, c->spec.af, &p)) == IVB_PARSE_SHORT) {
			if (p.need <= linear || p.need > pkt.len)
				break;
			linear = p.need;
		}
		wrong += r != c->want;
	}
	is_int(wrong, 0, "%s: pulled piece by piece", c->title);
}

/* Up to IPV6_EXT_MAX extension headers, and not one more. */
static void test_ext_limit(void)
{
	for (int n = IPV6_EXT_MAX - 1; n <= IPV6_EXT_MAX + 1; n++) {
		uint8_t raw[8 * (IPV6_EXT_MAX + 1) + 20] = { 0 };
		struct pkt_spec spec = V6(TCP);
		struct ivb_pkt p;
		struct pkt pkt;

		pkt_build(&pkt, &spec);
		memcpy(raw + 8 * n, pkt.data + 54, 20);
		for (int i = 0; i < n; i++)
			raw[8 * i] = i == n - 1 ? IPPROTO_TCP : NEXTHDR_DEST;
		memcpy(pkt.data + 54, raw, 8 * n + 20);
		pkt.len += 8 * n;
		pkt.data[14 + 5] = 8 * n + 20;
		pkt.data[14 + 6] = NEXTHDR_DEST;
		is_int(parse(&pkt, pkt.len, AF_INET6, &p),
		       n > IPV6_EXT_MAX ? IVB_PARSE_OTHER : IVB_PARSE_OK, "%d extension headers",
		       n);
	}
}

/* The header says another version than the Ethernet type. */
static void test_version(void)
{
	struct pkt_spec v4 = V4(UDP), v6 = V6(UDP);
	struct ivb_pkt p;
	struct pkt pkt;

	pkt_build(&pkt, &v4);
	is_int(parse(&pkt, pkt.len, AF_INET6, &p), IVB_PARSE_MALFORMED, "version 4 as IPv6");
	pkt_build(&pkt, &v6);
	is_int(parse(&pkt, pkt.len, AF_INET, &p), IVB_PARSE_MALFORMED, "version 6 as IPv4");
}

/* Of a packet quoted in an ICMP error the first 8 bytes above IP suffice. */
static void test_quoted(void)
{
	struct pkt_spec specs[] = { V4(TCP, .cut = 12), V6(TCP, .cut = 12) };

	for (int i = 0; i < 2; i++) {
		int af = specs[i].af, v = af == AF_INET ? 4 : 6;
		struct ivb_pkt p;
		struct pkt pkt;

		pkt_build(&pkt, &specs[i]);
		is_int(parse_as(&pkt, pkt.len, af, true, &p), IVB_PARSE_OK, "IPv%d quote", v);
		is_int(bpf_ntohs(p.sport), 1025, "IPv%d quote: sport", v);
		is_int(bpf_ntohs(p.dport), 80, "IPv%d quote: dport", v);
		is_int(p.tcp_flags, 0, "IPv%d quote: flags are not there", v);
		is_int(parse(&pkt, pkt.len, af, &p), IVB_PARSE_MALFORMED,
		       "IPv%d: the same as a packet of its own", v);
		pkt.len--;
		is_int(parse_as(&pkt, pkt.len, af, true, &p), IVB_PARSE_SHORT,
		       "IPv%d quote of 7 bytes: asks for more than there is", v);
		ok(p.need > pkt.len, "IPv%d quote of 7 bytes: the caller can tell", v);
	}
}

static void write_corpus(const char *folder)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[512];
		struct pkt pkt;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", folder, cases[i].title);
		f = fopen(path, "wb");
		if (!f)
			bail("%s: %s", path, strerror(errno));
		pkt_build(&pkt, &cases[i].spec);
		fputc((cases[i].spec.af == AF_INET6) | (i % 5 ? 0 : 2), f);
		/* so much of the frame is linear at first (see fuzz_parse.c) */
		fputc(0, f);
		fputc((int)i, f);
		fwrite(pkt.data, 1, pkt.len, f);
		fclose(f);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		write_corpus(argv[1]);
		return 0;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_case(&cases[i]);
		test_pulls(&cases[i]);
	}
	test_ext_limit();
	test_version();
	test_quoted();
	return done_testing();
}
