/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: bpf/pkt/parse.h against a second parser. Input: a byte that chooses the family
 * and packet or quote, two that say how much of the frame is linear at first, and the frame. The
 * parser sees copies that end where the linear part ends, so that the sanitizers find any read
 * beyond it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pkt/parse.h"
#include "ref_parse.h"

enum { V6 = 1, QUOTED = 2 };

static const int verdicts[] = {
	[REF_OK] = IVB_PARSE_OK,
	[REF_OTHER] = IVB_PARSE_OTHER,
	[REF_MALFORMED] = IVB_PARSE_MALFORMED,
};

/* Two bytes before the frame align the IP header, as in the kernel (NET_IP_ALIGN). */
static int parse_copy(const uint8_t *frame, size_t linear, size_t len, int mode, struct ivb_pkt *p)
{
	uint8_t *buffer = malloc(2 + linear), *copy = buffer + 2;
	bool quoted = mode & QUOTED;
	int r;

	memcpy(copy, frame, linear);
	memset(p, 0, sizeof(*p));
	if (mode & V6)
		r = ivb_parse(copy, copy + linear, len, AF_INET6, quoted, p);
	else
		r = ivb_parse(copy, copy + linear, len, AF_INET, quoted, p);
	free(buffer);
	return r;
}

/* As the programs do it: pull what is asked for, parse again. */
static int parse_pulling(const uint8_t *frame, size_t linear, size_t len, int mode,
			 struct ivb_pkt *p)
{
	int r;

	while ((r = parse_copy(frame, linear, len, mode, p)) == IVB_PARSE_SHORT) {
		CHECK(p->need > linear);
		/* only what is quoted may end before its own length says */
		if (p->need > len && mode & QUOTED)
			return IVB_PARSE_MALFORMED;
		CHECK(p->need <= len);
		linear = p->need;
	}
	return r;
}

static void compare(const struct ivb_pkt *p, const struct ref_pkt *r)
{
	CHECK(!!(p->flags & IVB_PKT_FRAGMENT) == r->fragment);
	CHECK(!!(p->flags & IVB_PKT_LATER) == r->later);
	CHECK(!!(p->flags & IVB_PKT_SOURCE_ROUTE) == r->source_route);
	CHECK(!!(p->flags & IVB_PKT_DONT_FRAGMENT) == r->dont_fragment);
	CHECK(p->l4_off == r->l4_off);
	CHECK(p->l3_len == r->l3_len);
	CHECK(p->ttl == r->ttl);
	if (r->l4_len)
		CHECK(p->l4_len == r->l4_len);
	CHECK(p->proto == r->proto);
	CHECK(bpf_ntohs(p->sport) == r->sport);
	CHECK(bpf_ntohs(p->dport) == r->dport);
	CHECK(p->tcp_flags == r->flags);
	if (r->fragment)
		CHECK(p->frag_proto == r->frag_proto);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ref_pkt ref = { 0 };
	struct ivb_pkt p, whole;
	enum ref_verdict want;
	const uint8_t *frame;
	size_t len, linear;
	int mode, got;

	/* the programs are entered with a whole Ethernet header */
	if (size < 3 + 14 || size > 4096)
		return 0;
	mode = data[0] & (V6 | QUOTED);
	frame = data + 3;
	len = size - 3;
	linear = 14 + (data[1] << 8 | data[2]) % (len - 14 + 1);

	ref.quoted = mode & QUOTED;
	want = mode & V6 ? ref_parse6(frame, len, &ref) : ref_parse4(frame, len, &ref);
	got = parse_pulling(frame, len, len, mode, &whole);
	if (got != verdicts[want]) {
		fprintf(stderr, "mode %d: verdict %d, the second parser says %d\n", mode, got,
			verdicts[want]);
		abort();
	}
	CHECK(parse_pulling(frame, linear, len, mode, &p) == got);
	if (got != IVB_PARSE_OK)
		return 0;
	compare(&whole, &ref);
	compare(&p, &ref);
	if (ref.fragment)
		CHECK(bpf_ntohl(mode & V6 ? p.frag_id : (__u32)p.frag_id << 16) == ref.frag_id);
	return 0;
}
