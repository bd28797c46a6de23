/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk of a packet: headers, flow, state, next hop, translation, out. One text for both
 * families and both hooks.
 */
#ifndef IVB_PATH_CARRY_H
#define IVB_PATH_CARRY_H

#include "path/frag.h"
#include "path/headers.h"
#include "path/icmp.h"
#include "path/icmp_send.h"
#include "path/kernel.h"
#include "path/nat.h"
#include "path/new.h"
#include "path/nexthop.h"
#include "path/room.h"
#include "path/sweep.h"
#include "path/track.h"

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
static __always_inline int send_fast(struct ivb_ctx *ctx, const struct ivb_nexthop *nh,
				     __u32 ifindex)
{
	struct ethhdr *eth = ctx_data(ctx);

	if ((void *)(eth + 1) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	mac_copy(eth->h_dest, nh->dmac);
	mac_copy(eth->h_source, nh->smac);
	return ctx_redirect(ctx, ifindex) ? -IVB_R_NO_ROUTE : IVB_GONE;
}

/* Asks the routing tables for a flow's way. */
static __always_inline int flow_route(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				      const union flow *f, __u32 len, struct way *way)
{
	struct route_query q = {
		.proto = p->proto,
		.sport = f->flow.sport,
		.dport = f->flow.dport,
		.len = len,
	};

	addr_copy(af, q.saddr, FLOW_SADDR(af, f));
	addr_copy(af, q.daddr, FLOW_DADDR(af, f));
	return route_lookup(ctx, af, &q, f->flow.nexthop, way);
}

GLOBAL int flow_route4(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_flow4 *f,
		       __u32 len, struct way *way)
{
	return p && f && way ? flow_route(ctx, AF_INET, p, (const union flow *)f, len, way)
			     : -IVB_R_NO_ROUTE;
}

GLOBAL int flow_route6(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_flow6 *f,
		       __u32 len, struct way *way)
{
	return p && f && way ? flow_route(ctx, AF_INET6, p, (const union flow *)f, len, way)
			     : -IVB_R_NO_ROUTE;
}

static __always_inline void flow_account(struct ivb_flow *f, __u32 len)
{
	f->packets++;
	f->bytes += len - ETH_HLEN;
}

/*
 * A packet with its flow: translated and sent, or a reason. If the routing tables have been asked
 * for this packet, *way is their answer: it renewed the cache, so this packet probes the neighbour.
 */
static __always_inline int flow_send(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     union flow *f, __u32 tag, __u32 now, struct way *way)
{
	__u32 len = ctx_len(ctx), extra = tunnel_len(af, &f->flow), ifindex;
	__u32 wire = wire_len(ctx, p) + extra;
	struct ivb_nexthop *nh;
	int r;

	nh = nexthop_fresh(af, f->flow.nexthop, now, FLOW_SADDR(af, f), FLOW_DADDR(af, f));
	if (nh) {
		ifindex = nh->ifindex;
		if (wire > nh->mtu)
			return REFUSE(af, ctx, p, f, IVB_R_TOO_BIG, nh->mtu - extra);
	} else {
		r = af == AF_INET ? flow_route4(ctx, p, &f->v4, wire, way)
				  : flow_route6(ctx, p, &f->v6, wire, way);
		if (r == -IVB_R_TOO_BIG)
			return REFUSE(af, ctx, p, f, IVB_R_TOO_BIG, way->mtu - extra);
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
		flow_account(&f->flow, len);
	if (f->flow.flags & IVB_FLOW_KERNEL)
		ctx_set_mark(ctx, IVB_MARK_CARRIED);
	if (nh && !way->ifindex)
		return send_fast(ctx, nh, ifindex);
	return ctx_redirect_neigh(ctx, way->ifindex, &way->nh) ? -IVB_R_NO_ROUTE : IVB_GONE;
}

/* Once a second. */
static __always_inline void liveness(const int af, union flow *f, __u32 now)
{
	af == AF_INET ? refresh4(&f->v4, now) : refresh6(&f->v6, now);
	BY_AF(af, sweep_by_packet);
}

/* State and liveness. 0: go on; 1: the flow is no more, schedule afresh; or a reason. */
static __always_inline int flow_note(const int af, const struct ivb_pkt *p, union flow *f,
				     __u32 now)
{
	int r = 0;

	if (!(p->flags & IVB_PKT_LATER) && ((p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) ||
					    !(f->flow.flags & IVB_FLOW_ESTABLISHED)))
		r = af == AF_INET ? track4(&f->v4, p->tcp_flags) : track6(&f->v6, p->tcp_flags);
	else if (now - READ_ONCE(f->flow.last_seen) >= ivb_hz)
		liveness(af, f, now);
	if (r)
		return r;
	/* Replies of a removed server still pass. */
	if (!(f->flow.flags & IVB_FLOW_REPLY) && !dest_available(f->flow.dest)) {
		if (p->flags & IVB_PKT_LATER)
			return -IVB_R_DEST_GONE;
		return af == AF_INET ? dest_gone4(&f->v4, p->proto) : dest_gone6(&f->v6, p->proto);
	}
	if (p->flags & IVB_PKT_SOURCE_ROUTE)
		return -IVB_R_IP_OPTIONS;
	return 0;
}

/*
 * The flow of a connection that began just now. Of one that this CPU made there is a copy at hand:
 * looking for the element would cost as much as any lookup, and nothing is written to it, as its
 * first packet was counted in advance (as ip_vs_in_stats() counts before it is known whether the
 * packet can be sent).
 */
static __always_inline union flow *flow_made(const int af, int verdict, const union tuple *key)
{
	__u32 zero = 0;
	struct scratch *s;

	if (verdict != IVB_MADE)
		return bpf_map_lookup_elem(MAP_OF(af, flows), key);
	s = bpf_map_lookup_elem(&scratches, &zero);
	return s ? &s->fwd : NULL;
}

static __always_inline int carry(struct ivb_ctx *ctx, const int af)
{
	__u32 now = bpf_jiffies64(), tag;
	union tuple key = {};
	struct ivb_pkt p = {};
	struct way way = {};
	union flow *f;
	int r;

	if (!ivb_parse_plain(ctx_data(ctx), ctx_end(ctx), ctx_len(ctx), af, &p)) {
		r = BY_AF(af, headers, ctx, &p);
		if (r)
			return r == IVB_GONE ? IVB_NEXT : r;
	}
	r = tuple_read(ctx, af, &p, &key);
	if (r)
		return r;
	if (p.proto == (af == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return BY_AF(af, icmp_error, ctx, &p);
	if (p.flags & IVB_PKT_LATER) {
		r = af == AF_INET ? frag_later4(&p, &key.v4) : frag_later6(&p, &key.v6);
		if (r)
			return r;
	}
	tag = tuple_tag(af, &key);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	if (f && f->flow.flags & IVB_FLOW_KERNEL)
		r = kernel_note(ctx, af, &p, &key, f, now);
	else
		r = f ? flow_note(af, &p, f, now) : 1;
	if (r < 0)
		return r;
	if (f && p.tcp_flags & (TCP_FIN | TCP_RST) && f->flow.flags & IVB_FLOW_SNAT && !r &&
	    ports_are_half())
		af == AF_INET ? port_leave4(&key.v4, &f->v4) : port_leave6(&key.v6, &f->v6);
	if (r) {
		r = af == AF_INET ? flow_miss4(ctx, &p, &key.v4, &way)
				  : flow_miss6(ctx, &p, &key.v6, &way);
		BY_AF(af, port_room);
		BY_AF(af, sweep_by_packet);
		if (r == -IVB_R_NO_DEST)
			return REFUSE(af, ctx, &p, NULL, IVB_R_NO_DEST, 0);
		if (r < IVB_CREATED)
			return r;
		if (r >> IVB_DISPLACED_SHIFT)
			BY_AF(af, half_open_evict, (r >> IVB_DISPLACED_SHIFT) - 1);
		f = flow_made(af, r & IVB_VERDICT_MASK, &key);
		if (!f)
			return -IVB_R_RACE;
	}
	if ((p.flags & (IVB_PKT_FRAGMENT | IVB_PKT_LATER)) == IVB_PKT_FRAGMENT) {
		r = af == AF_INET ? frag_first4(&p, &key.v4, IVB_FRAG_CARRIED)
				  : frag_first6(&p, &key.v6, IVB_FRAG_CARRIED);
		if (r)
			return kernel_instead(&f->flow, r) ? KERNEL_SLOW(af, ctx, &p, &key, f) : r;
	}
	if (p.ttl <= 1)
		return REFUSE(af, ctx, &p, f, IVB_R_TTL, 0);
	r = flow_send(ctx, af, &p, f, tag, now, &way);
	return kernel_instead(&f->flow, r) ? KERNEL_SLOW(af, ctx, &p, &key, f) : r;
}

#endif
