/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every router does to a packet: the TTL, or hop limit, is one less. */
#ifndef IVB_XMIT_TTL_H
#define IVB_XMIT_TTL_H

#include "lib/verdict.h"
#include "lib/tuple.h"

/* What that changes in a sum of 16-bit words: the TTL is the upper byte of its word, */
#define TTL_DELTA ((__u16)~bpf_htons(0x0100))
/* the hop limit the lower byte of its. */
#define HOP_LIMIT_DELTA ((__u16)~bpf_htons(0x0001))

/* Of the IP header at off. */
static __always_inline int ttl_dec(struct ivb_ctx *ctx, const int af, const __u32 off)
{
	struct iphdr *ip = ctx_data(ctx) + off;
	struct ipv6hdr *ip6 = ctx_data(ctx) + off;

	if ((af == AF_INET ? (void *)(ip + 1) : (void *)(ip6 + 1)) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	if (af == AF_INET) {
		ip->ttl--;
		ip->check = csum_update(ip->check, TTL_DELTA);
		return 0;
	}
	ip6->hop_limit--;
	if (ctx_summed(ctx) == CHECKSUM_COMPLETE)
		ctx_csum_changed(ctx, HOP_LIMIT_DELTA);
	return 0;
}

#endif
