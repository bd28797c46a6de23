/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last part of the walk: next hop, translation, out. */
#ifndef IVB_PATH_SEND_H
#define IVB_PATH_SEND_H

#include "xmit/icmp_send.h"
#include "engine_ipvs/ingress.h"
#include "xmit/nat.h"
#include "xmit/nexthop.h"

/* Length of the largest IP packet that the frame will become on the wire. */
static __always_inline __u32 wire_len(const struct ivb_ctx *ctx, const struct ivb_pkt *p)
{
	__u32 gso = ctx_gso_size(ctx);

	return gso ? p->l4_off - ETH_HLEN + p->l4_len + gso : ctx_len(ctx) - ETH_HLEN;
}

/* clang copies bytes whose alignment it does not know one by one. */
static __always_inline void mac_copy(__u8 *to, const __u8 *from)
{
	*(__u32 *)to = *(const __u32 *)from;
	*(__u16 *)(to + 4) = *(const __u16 *)(from + 4);
}

/* The Ethernet header for a cached next hop; then out. */
static __always_inline int send_fast(struct ivb_ctx *ctx, const struct ivb_nexthop *nh)
{
	struct ethhdr *eth = ctx_data(ctx);

	if ((void *)(eth + 1) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	mac_copy(eth->h_dest, nh->dmac);
	mac_copy(eth->h_source, nh->smac);
	return ctx_redirect(ctx, nh->ifindex) ? -IVB_R_NO_ROUTE : IVB_REDIRECTED;
}

/* Asks the routing tables for a flow's way. */
static __always_inline int flow_route(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				      const union flow *f, __u32 len, struct route *route)
{
	struct route_query q = {
		.proto = p->proto,
		.sport = f->flow.sport,
		.dport = f->flow.dport,
		.len = len,
	};

	addr_copy(af, q.saddr, FLOW_SADDR(af, f));
	addr_copy(af, q.daddr, FLOW_DADDR(af, f));
	return route_lookup(ctx, af, &q, f->flow.nexthop, route);
}

GLOBAL int flow_route4(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_flow4 *f,
		       __u32 len, struct route *route)
{
	return p && f && route ? flow_route(ctx, AF_INET, p, (const union flow *)f, len, route)
			       : -IVB_R_NO_ROUTE;
}

GLOBAL int flow_route6(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_flow6 *f,
		       __u32 len, struct route *route)
{
	return p && f && route ? flow_route(ctx, AF_INET6, p, (const union flow *)f, len, route)
			       : -IVB_R_NO_ROUTE;
}

static __always_inline void flow_account(struct ivb_flow *f, const struct ivb_pkt *p)
{
	f->packets++;
	f->bytes += p->l3_len;
}

/*
 * A packet with its flow: translated and sent, or a reason. If the routing tables have been asked
 * for this packet, *route is their answer: it renewed the cache, so this packet probes the neighbour.
 */
static __always_inline int flow_send(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     union flow *f, __u32 tag, __u32 now, struct route *route)
{
	__u32 extra = tunnel_len(af, &f->flow), wire = wire_len(ctx, p) + extra;
	struct ivb_nexthop *nh;
	int r;

	nh = nexthop_fresh(af, f->flow.nexthop, now, FLOW_SADDR(af, f), FLOW_DADDR(af, f));
	if (nh && wire > nh->mtu)
		return REFUSE(af, ctx, p, f, IVB_R_TOO_BIG, nh->mtu - extra);
	if (!nh) {
		r = af == AF_INET ? flow_route4(ctx, p, &f->v4, wire, route)
				  : flow_route6(ctx, p, &f->v6, wire, route);
		if (r == -IVB_R_TOO_BIG)
			return REFUSE(af, ctx, p, f, IVB_R_TOO_BIG, route->mtu - extra);
		if (r)
			return r;
	}
	r = nat(ctx, af, p, f);
	if (r)
		return r;
	/* The element was not reused meanwhile, so what was read of it is this connection's. */
	if (READ_ONCE(f->flow.tag) != tag)
		return -IVB_R_RACE;
	if (!kernel_counts(&f->flow, p))
		flow_account(&f->flow, p);
	if (f->flow.flags & IVB_FLOW_KERNEL)
		ctx_set_tag(ctx, IVB_TAG_CARRIED);
	if (nh && !route->ifindex)
		return send_fast(ctx, nh);
	return ctx_redirect_neigh(ctx, route->ifindex, &route->nh) ? -IVB_R_NO_ROUTE
								   : IVB_REDIRECTED;
}

#endif
