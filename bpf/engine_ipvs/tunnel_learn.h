/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From which address kernel IPVS makes a tunnel is learnt from the packets that it sends. */
#ifndef IVB_ENGINE_IPVS_TUNNEL_LEARN_H
#define IVB_ENGINE_IPVS_TUNNEL_LEARN_H

#include "engine_ipvs/note_types.h"
#include "lib/tuple.h"

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
	t = bpf_map_lookup_elem(&ivb_kernel_tunnels, &k);
	if (!t || t->df != now.df || !addr_equal(af, t->source.ip6, now.source.ip6))
		bpf_map_update_elem(&ivb_kernel_tunnels, &k, &now, BPF_ANY);
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
