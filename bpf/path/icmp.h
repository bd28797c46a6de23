/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors about packets that we have sent: the quoted packet's tuple, turned round, is the key
 * of the flow that leads back to whoever sent it. The outer and the quoted addresses and ports are
 * translated (as ip_vs_nat_icmp(), ip_vs_nat_icmp_v6()); the connection's state is not touched.
 */
#ifndef IVB_PATH_ICMP_H
#define IVB_PATH_ICMP_H

#include "pkt/icmp.h"
#include "xmit/nat.h"
#include "xmit/nexthop.h"

#define ICMP_HLEN 8
#define MTU_MIN4 \
	576 /* RFC 791: what every host takes; below that it is an attack on throughput \
		      */
#define MTU_MIN6 1280

static __always_inline bool icmp_is_error(const int af, __u8 type)
{
	if (af == AF_INET)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
		       type == ICMP_PARAMETERPROB;
	return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
}

/* Reads the quoted packet; quote->l4_off counts from 14 bytes before its IP header. */
static __always_inline int quote_parse(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				       struct ivb_pkt *quote)
{
	__u32 off = p->l4_off + ICMP_HLEN - ETH_HLEN;
	int r = IVB_PARSE_SHORT, i;

	if (off > IVB_L4_OFF_MAX)
		return -IVB_R_PASS_TRUNCATED;
	for (i = 0; i < 2 && r == IVB_PARSE_SHORT; i++) {
		if (i && ctx_pull(ctx, headers_max(ctx, off)))
			return -IVB_R_PASS_TRUNCATED;
		__builtin_memset(quote, 0, sizeof(*quote));
		r = ivb_parse(ctx_at(ctx, off), ctx_end(ctx), ctx_len(ctx) - off, af, true, quote);
	}
	if (r == IVB_PARSE_OTHER)
		return IVB_OTHER;
	if (r != IVB_PARSE_OK)
		return -IVB_R_PASS_TRUNCATED;
	/* Without ports it cannot be told whose it is. */
	if (quote->flags & IVB_PKT_LATER ||
	    (quote->proto != IPPROTO_TCP && quote->proto != IPPROTO_UDP))
		return IVB_OTHER;
	return 0;
}

GLOBAL int quote_parse4(struct ivb_ctx *ctx, const struct ivb_pkt *p, struct ivb_pkt *quote)
{
	return p && quote ? quote_parse(ctx, AF_INET, p, quote) : IVB_OTHER;
}

GLOBAL int quote_parse6(struct ivb_ctx *ctx, const struct ivb_pkt *p, struct ivb_pkt *quote)
{
	return p && quote ? quote_parse(ctx, AF_INET6, p, quote) : IVB_OTHER;
}

/* The key of the flow that the error travels with: the quoted tuple turned round. */
static __always_inline int quote_key(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     const struct ivb_pkt *quote, union tuple *key)
{
	void *inner = ctx_at(ctx, p->l4_off + ICMP_HLEN - ETH_HLEN);
	__be32 *addrs;

	if (p->l4_off > IVB_L4_OFF_MAX ||
	    inner + ETH_HLEN + (af == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) >
		    ctx_end(ctx))
		return -IVB_R_PASS_TRUNCATED;
	addrs = pkt_addrs(af, inner);
	__builtin_memset(key, 0, sizeof(*key));
	addr_copy(af, TUPLE_DADDR(af, key), addrs);
	addr_copy(af, TUPLE_SADDR(af, key), addrs + ADDR_WORDS(af));
	TUPLE_SPORT(af, key) = quote->dport;
	TUPLE_DPORT(af, key) = quote->sport;
	tuple_set_proto(af, key, quote->proto);
	return 0;
}

/* An MTU that no path has is an attempt to slow the sender down. */
static __always_inline bool mtu_plausible(const int af, const struct ivb_pkt *p, const __u8 *icmp)
{
	if (af == AF_INET) {
		__u32 mtu = bpf_ntohs(*(__be16 *)(icmp + 6));

		return p->tcp_flags != ICMP_DEST_UNREACH || icmp[1] != ICMP_FRAG_NEEDED || !mtu ||
		       mtu >= MTU_MIN4;
	}
	return p->tcp_flags != ICMPV6_PKT_TOOBIG || bpf_ntohl(*(__be32 *)(icmp + 4)) >= MTU_MIN6;
}

/* The quoted packet's own tuple again: *delta gains what that changes in the message's sum. */
static __always_inline int quote_rewrite(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
					 const struct ivb_pkt *quote, const union flow *f,
					 __u64 *delta)
{
	void *inner, *l4;
	__u32 l4_off = quote->l4_off;
	__u64 addresses;
	__be32 *addrs;

	if (p->l4_off > IVB_L4_OFF_MAX || l4_off > IVB_L4_OFF_MAX)
		return -IVB_R_REWRITE;
	inner = ctx_at(ctx, p->l4_off + ICMP_HLEN - ETH_HLEN);
	if (inner + ETH_HLEN + (af == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) >
	    ctx_end(ctx))
		return -IVB_R_REWRITE;
	addrs = pkt_addrs(af, inner);
	addresses = addr_delta(af, addrs, FLOW_DADDR(af, f)) +
		    addr_delta(af, addrs + ADDR_WORDS(af), FLOW_SADDR(af, f));
	addr_copy(af, addrs, FLOW_DADDR(af, f));
	addr_copy(af, addrs + ADDR_WORDS(af), FLOW_SADDR(af, f));
	if (af == AF_INET) { /* the header's checksum takes away what its addresses add */
		struct iphdr *ip = inner + ETH_HLEN;

		ip->check = csum_update(ip->check, csum_fold(addresses));
	} else {
		*delta += addresses;
	}
	l4 = ctx_at(ctx, p->l4_off + ICMP_HLEN - ETH_HLEN + l4_off);
	if (l4 + 4 > ctx_end(ctx))
		return -IVB_R_REWRITE;
	*delta += csum_word(*(__u32 *)l4, f->flow.dport | (__u32)f->flow.sport << 16);
	*(__be16 *)l4 = f->flow.dport;
	*(__be16 *)(l4 + 2) = f->flow.sport;
	return 0;
}

/*
 * The outer header. The error comes from whoever sent it, but for the server side, where the client
 * must not see more than the service (as ip_vs_nat_icmp()), and for clients' routers behind SNAT.
 */
static __always_inline int outer_rewrite(struct ivb_ctx *ctx, const int af, const union flow *f,
					 __u64 *delta, struct route_query *q)
{
	struct iphdr *ip = ctx_data(ctx) + ETH_HLEN;
	struct ipv6hdr *ip6 = ctx_data(ctx) + ETH_HLEN;
	__be32 *addrs;
	__u64 sum;

	if ((af == AF_INET ? (void *)(ip + 1) : (void *)(ip6 + 1)) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	addrs = pkt_addrs(af, ctx_data(ctx));
	if (f->flow.flags & (IVB_FLOW_REPLY | IVB_FLOW_SNAT))
		addr_copy(af, q->saddr, FLOW_SADDR(af, f));
	else
		addr_copy(af, q->saddr, addrs);
	addr_copy(af, q->daddr, FLOW_DADDR(af, f));
	sum = addr_delta(af, addrs, q->saddr) + addr_delta(af, addrs + ADDR_WORDS(af), q->daddr);
	addr_copy(af, addrs, q->saddr);
	addr_copy(af, addrs + ADDR_WORDS(af), q->daddr);
	if (af == AF_INET) {
		ip->ttl--;
		ip->check = csum_update(ip->check, csum_fold(sum + TTL_DELTA));
	} else { /* the pseudo header */
		ip6->hop_limit--;
		*delta += sum;
	}
	return 0;
}

static __always_inline int message_csum(struct ivb_ctx *ctx, const struct ivb_pkt *p, __u64 delta)
{
	struct ivb_icmp *icmp = ctx_at(ctx, p->l4_off);

	if (p->l4_off > IVB_L4_OFF_MAX || (void *)(icmp + 1) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	icmp->checksum = csum_update(icmp->checksum, csum_fold(delta));
	return 0;
}

/* Apart, each with a stack of its own. */
static __noinline int quote_rewrite4(struct ivb_ctx *ctx, const struct ivb_pkt *p,
				     const struct ivb_pkt *quote, const union flow *f, __u64 *delta)
{
	return quote_rewrite(ctx, AF_INET, p, quote, f, delta);
}

static __noinline int quote_rewrite6(struct ivb_ctx *ctx, const struct ivb_pkt *p,
				     const struct ivb_pkt *quote, const union flow *f, __u64 *delta)
{
	return quote_rewrite(ctx, AF_INET6, p, quote, f, delta);
}

static __noinline int outer_rewrite4(struct ivb_ctx *ctx, const union flow *f, __u64 *delta,
				     struct route_query *q)
{
	return outer_rewrite(ctx, AF_INET, f, delta, q);
}

static __noinline int outer_rewrite6(struct ivb_ctx *ctx, const union flow *f, __u64 *delta,
				     struct route_query *q)
{
	return outer_rewrite(ctx, AF_INET6, f, delta, q);
}

static __always_inline int icmp_translate(struct ivb_ctx *ctx, const int af,
					  const struct ivb_pkt *p, const struct ivb_pkt *quote,
					  const union flow *f, __u32 tag)
{
	struct route_query q = { .len = ctx_len(ctx) - ETH_HLEN, .proto = p->proto };
	struct route route = {};
	__u64 delta = 0;
	int r;

	r = BY_AF(af, quote_rewrite, ctx, p, quote, f, &delta);
	if (!r)
		r = BY_AF(af, outer_rewrite, ctx, f, &delta, &q);
	if (!r)
		r = message_csum(ctx, p, delta);
	if (r)
		return r;
	if (af == AF_INET6)
		ctx_csum_changed(ctx, HOP_LIMIT_DELTA);
	if (READ_ONCE(f->flow.tag) != tag)
		return -IVB_R_RACE;
	r = BY_AF(af, route_lookup, ctx, &q, nexthop_index(af, q.saddr, q.daddr), &route);
	if (r)
		return r;
	return ctx_redirect_neigh(ctx, route.ifindex, &route.nh) ? -IVB_R_NO_ROUTE : IVB_REDIRECTED;
}

/* The outer destination alone. */
static __always_inline int outer_readdress(struct ivb_ctx *ctx, const int af, const __be32 *daddr,
					   __u64 *delta)
{
	struct iphdr *ip = ctx_data(ctx) + ETH_HLEN;
	struct ipv6hdr *ip6 = ctx_data(ctx) + ETH_HLEN;
	__be32 *to;
	__u64 sum;

	if ((af == AF_INET ? (void *)(ip + 1) : (void *)(ip6 + 1)) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	to = pkt_addrs(af, ctx_data(ctx)) + ADDR_WORDS(af);
	sum = addr_delta(af, to, daddr);
	addr_copy(af, to, daddr);
	if (af == AF_INET)
		ip->check = csum_update(ip->check, csum_fold(sum));
	else
		*delta += sum;
	return 0;
}

/*
 * About a packet of a client on the director, s->key and f are of the reply's direction: SNAT is
 * undone, then kernel IPVS passes it on.
 */
static __always_inline int icmp_undo(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     const struct ivb_pkt *quote, const union flow *f,
				     struct scratch *s)
{
	const union tuple *key = &s->key;
	__u64 delta = 0;
	int r;

	retuple(af, key, TUPLE_SADDR(af, key), FLOW_DADDR(af, f), TUPLE_SPORT(af, key),
		f->flow.dport, &s->rep);
	r = BY_AF(af, quote_rewrite, ctx, p, quote, &s->rep, &delta);
	if (!r)
		r = outer_readdress(ctx, af, FLOW_DADDR(af, &s->rep), &delta);
	if (!r)
		r = message_csum(ctx, p, delta);
	return r ? r : -IVB_R_PASS_KERNEL;
}

static __always_inline int icmp_error(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p)
{
	const __u32 local = IVB_FLOW_LOCAL | IVB_FLOW_REPLY | IVB_FLOW_SNAT;
	struct ivb_pkt quote = {};
	struct scratch *s; /* for the key, which would not fit on the stack */
	union flow *f;
	__u8 *icmp;
	int r;

	if (p->flags & IVB_PKT_FRAGMENT || !icmp_is_error(af, p->tcp_flags))
		return IVB_NEXT;
	s = scratch_get();
	if (!s)
		return IVB_NEXT;
	r = BY_AF(af, quote_parse, ctx, p, &quote);
	if (!r)
		r = quote_key(ctx, af, p, &quote, &s->key);
	if (r)
		return r == IVB_OTHER ? IVB_NEXT : r;
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &s->key);
	/*
	 * Kernel IPVS's to pass on: servers that are routed to directly, and clients on the
	 * director.
	 */
	if (!f || f->flow.flags & IVB_FLOW_DIRECT)
		return IVB_NEXT;
	if (f->flow.flags & IVB_FLOW_LOCAL)
		return (f->flow.flags & local) == local ? icmp_undo(ctx, af, p, &quote, f, s)
							: IVB_NEXT;
	icmp = ctx_at(ctx, p->l4_off);
	if (p->l4_off > IVB_L4_OFF_MAX || (void *)(icmp + ICMP_HLEN) > ctx_end(ctx) ||
	    !mtu_plausible(af, p, icmp))
		return -IVB_R_ICMP_INVALID;
	if (p->ttl <= 1)
		return -IVB_R_TTL;
	return icmp_translate(ctx, af, p, &quote, f, tuple_tag(af, &s->key));
}

GLOBAL int icmp_error4(struct ivb_ctx *ctx, const struct ivb_pkt *p)
{
	return p ? icmp_error(ctx, AF_INET, p) : IVB_NEXT;
}

GLOBAL int icmp_error6(struct ivb_ctx *ctx, const struct ivb_pkt *p)
{
	return p ? icmp_error(ctx, AF_INET6, p) : IVB_NEXT;
}

#endif
