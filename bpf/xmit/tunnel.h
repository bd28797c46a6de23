/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels to servers, IPv4 in IPv4 (RFC 2003) and IPv6 in IPv6 (RFC 2473), as kernel IPVS makes
 * them (ip_vs_tunnel_xmit(), ip_vs_prepare_tunneled_skb()): from which address, and what of the
 * inner header the outer one takes over.
 */
#ifndef IVB_XMIT_TUNNEL_H
#define IVB_XMIT_TUNNEL_H

#include "lib/verdict.h"
#include "xmit/ttl.h"
#include "lib/tuple.h"

#define TUNNEL_HEADER(af) ((af) == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr))

/* Bytes that the flow's packets grow by. */
static __always_inline __u32 tunnel_len(const int af, const struct ivb_flow *f)
{
	return f->flags & IVB_FLOW_TUNNEL ? TUNNEL_HEADER(af) : 0;
}

/* RFC 3168 9.1.1: congestion that was met inside is not shown outside. */
static __always_inline __u8 tunnel_tos(__u8 inner)
{
	return (inner & 3) == 3 ? inner - 1 : inner;
}

static __always_inline void tunnel_head4(struct iphdr *outer, const struct iphdr *inner,
					 const struct ivb_tunnel *t, __be32 server)
{
	const __u16 *w = (const __u16 *)outer;
	__u64 sum = 0;
	int i;

	outer->version = 4;
	outer->ihl = 5;
	outer->tos = tunnel_tos(inner->tos);
	outer->tot_len = bpf_htons(bpf_ntohs(inner->tot_len) + sizeof(*outer));
	outer->frag_off = inner->frag_off & t->df;
	outer->id = outer->frag_off ? 0 : bpf_get_prandom_u32();
	outer->ttl = inner->ttl;
	outer->protocol = IPPROTO_IPIP;
	outer->check = 0;
	outer->saddr = t->source.ip;
	outer->daddr = server;
	for (i = 0; i < (int)sizeof(*outer) / 2; i++)
		sum += w[i];
	outer->check = ~csum_fold(sum);
}

static __always_inline void tunnel_head6(struct ipv6hdr *outer, const struct ipv6hdr *inner,
					 const struct ivb_tunnel *t, const __be32 *server)
{
	__u8 tos = inner->priority << 4 | inner->flow_lbl[0] >> 4;

	*(__be32 *)outer = bpf_htonl(6u << 28 | (__u32)tunnel_tos(tos) << 20);
	outer->payload_len = bpf_htons(bpf_ntohs(inner->payload_len) + sizeof(*inner));
	outer->nexthdr = IPPROTO_IPV6;
	outer->hop_limit = inner->hop_limit;
	__builtin_memcpy(&outer->saddr, t->source.ip6, sizeof(outer->saddr));
	__builtin_memcpy(&outer->daddr, server, sizeof(outer->daddr));
}

/*
 * The packet goes into another one to the flow's server. IVB_R_NO_ROUTE: no way is known, and it is
 * as it was.
 */
static __always_inline int tunnel_push(struct ivb_ctx *ctx, const int af, const union flow *f)
{
	const __u32 len = TUNNEL_HEADER(af);
	struct ivb_tunnel_key k = { .af = af };
	struct ivb_tunnel *t;
	void *outer, *inner;
	int r;

	addr_copy(af, k.server.ip6, FLOW_DADDR(af, f));
	t = bpf_map_lookup_elem(&kernel_tunnels, &k);
	if (!t || ctx_push_tunnel(ctx, af == AF_INET6, len))
		return -IVB_R_NO_ROUTE;
	r = ttl_dec(ctx, af, ETH_HLEN + len);
	if (r)
		return r;
	outer = ctx_data(ctx) + ETH_HLEN;
	inner = outer + len;
	if (inner + len > ctx_end(ctx))
		return -IVB_R_REWRITE;
	if (af == AF_INET)
		tunnel_head4(outer, inner, t, k.server.ip);
	else
		tunnel_head6(outer, inner, t, k.server.ip6);
	return 0;
}

GLOBAL int tunnel_push4(struct ivb_ctx *ctx, const struct ivb_flow4 *f)
{
	return f ? tunnel_push(ctx, AF_INET, (const union flow *)f) : -IVB_R_NO_ROUTE;
}

GLOBAL int tunnel_push6(struct ivb_ctx *ctx, const struct ivb_flow6 *f)
{
	return f ? tunnel_push(ctx, AF_INET6, (const union flow *)f) : -IVB_R_NO_ROUTE;
}

#define TUNNEL_PUSH(af, ctx, f) \
	((af) == AF_INET ? tunnel_push4(ctx, &(f)->v4) : tunnel_push6(ctx, &(f)->v6))

#endif
