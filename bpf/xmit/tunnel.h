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
#include "engine_ipvs/note_types.h"
#include "lib/tuple.h"

#define TUNNEL_HEADER(af) ((af) == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr))
#define TUNNEL_PROTO(af) ((af) == AF_INET ? IPPROTO_IPIP : IPPROTO_IPV6)

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
	r = hop(ctx, af, ETH_HLEN + len);
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

/* Both IP headers and the ports of a packet in a tunnel, without options. */
struct tunneled4 {
	struct iphdr outer;
	struct iphdr inner;
	__be16 ports[2];
};

struct tunneled6 {
	struct ipv6hdr outer;
	struct ipv6hdr inner;
	__be16 ports[2];
};

static __always_inline bool tunneled4_matches(const struct tunneled4 *h, const struct note *n)
{
	return *(__u8 *)&h->outer == 0x45 && h->outer.protocol == IPPROTO_IPIP &&
	       !(h->outer.frag_off & bpf_htons(0x3fff)) && h->outer.daddr == n->daddr.ip &&
	       *(__u8 *)&h->inner == 0x45 && h->inner.protocol == n->proto &&
	       !(h->inner.frag_off & bpf_htons(0x3fff)) && h->inner.saddr == n->caddr.ip &&
	       h->inner.daddr == n->vaddr.ip && h->ports[0] == n->cport && h->ports[1] == n->vport;
}

static __always_inline bool tunneled6_matches(const struct tunneled6 *h, const struct note *n)
{
	return h->outer.version == 6 && h->outer.nexthdr == IPPROTO_IPV6 &&
	       addr_equal(AF_INET6, h->outer.daddr.s6_addr32, n->daddr.ip6) &&
	       h->inner.nexthdr == n->proto &&
	       addr_equal(AF_INET6, h->inner.saddr.s6_addr32, n->caddr.ip6) &&
	       addr_equal(AF_INET6, h->inner.daddr.s6_addr32, n->vaddr.ip6) &&
	       h->ports[0] == n->cport && h->ports[1] == n->vport;
}

static __always_inline void tunnel_remember(const int af, const struct note *n,
					    const __be32 *source)
{
	struct ivb_tunnel now = {
		.df = n->flags & NOTE_PMTU_DISC ? bpf_htons(0x4000) : 0,
	};
	struct ivb_tunnel_key k = { .af = af };
	struct ivb_tunnel *t;

	addr_copy(af, now.source.ip6, source);
	addr_copy(af, k.server.ip6, n->daddr.ip6);
	t = bpf_map_lookup_elem(&kernel_tunnels, &k);
	if (!t || t->df != now.df || !addr_equal(af, t->source.ip6, now.source.ip6))
		bpf_map_update_elem(&kernel_tunnels, &k, &now, BPF_ANY);
}

/* Whether the packet that leaves is the note's, in its tunnel: of which we learn, if it is. */
static __always_inline bool tunnel_learn(struct ivb_ctx *ctx, const int af, const struct note *n)
{
	struct scratch *s = scratch_get();
	struct tunneled4 *h4 = (void *)s;
	struct tunneled6 *h6 = (void *)s;

	if (!s || n->af != af ||
	    ctx_load(ctx, ETH_HLEN, s, af == AF_INET ? sizeof(*h4) : sizeof(*h6)))
		return false;
	if (af == AF_INET ? !tunneled4_matches(h4, n) : !tunneled6_matches(h6, n))
		return false;
	tunnel_remember(af, n, af == AF_INET ? &h4->outer.saddr : h6->outer.saddr.s6_addr32);
	return true;
}

#endif
