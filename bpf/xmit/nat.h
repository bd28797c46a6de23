/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a flow's new tuple into the packet: addresses, ports, TTL, and every checksum. */
#ifndef IVB_XMIT_NAT_H
#define IVB_XMIT_NAT_H

#include "lib/verdict.h"
#include "xmit/ttl.h"
#include "xmit/tunnel.h"
#include "lib/tuple.h"

/* The transport header's ports and checksum, in place. */
static __always_inline int nat_l4(struct ivb_ctx *ctx, const struct ivb_pkt *p,
				  const struct ivb_flow *f, int summed)
{
	__u32 off = p->l4_off, size;
	__u16 *check;
	void *l4;

	if (off > IVB_L4_OFF_MAX)
		return -IVB_R_REWRITE;
	l4 = ctx_at(ctx, off);
	size = p->proto == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	if (l4 + sizeof(struct udphdr) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	if (p->proto == IPPROTO_TCP) {
		if (l4 + sizeof(struct tcphdr) > ctx_end(ctx))
			return -IVB_R_REWRITE;
		check = l4 + offsetof(struct tcphdr, check);
	} else {
		check = l4 + offsetof(struct udphdr, check);
	}
	*(__u32 *)l4 = FLOW_PORTS(f);
	if (summed ==
	    CHECKSUM_PARTIAL) /* the field holds the sum of the pseudo header, not its complement */
		*check = csum_fold32((__u32)*check + f->addr_delta);
	else if (p->proto == IPPROTO_UDP)
		*check = csum_update_udp(*check, f->tuple_delta);
	else
		*check = csum_update(*check, f->tuple_delta);
	return size ? 0 : -IVB_R_REWRITE;
}

/* The IP header in place. forwarded: the packet is being forwarded. */
static __always_inline int nat_l3(struct ivb_ctx *ctx, const int af, const union flow *f,
				  const bool forwarded)
{
	void *data = ctx_data(ctx);
	struct iphdr *ip = data + ETH_HLEN;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	__be32 *addrs;

	if (data + ETH_HLEN + (af == AF_INET ? sizeof(*ip) : sizeof(*ip6)) > ctx_end(ctx))
		return -IVB_R_REWRITE;
	addrs = pkt_addrs(af, data);
	addr_copy(af, addrs, FLOW_SADDR(af, f));
	addr_copy(af, addrs + ADDR_WORDS(af), FLOW_DADDR(af, f));
	if (af == AF_INET) {
		ip->ttl -= forwarded;
		ip->check = csum_update(ip->check,
					(__u32)f->flow.addr_delta + (forwarded ? TTL_DELTA : 0));
	} else {
		ip6->hop_limit -= forwarded;
	}
	return 0;
}

/*
 * The whole packet. A later fragment has no transport header. CHECKSUM_COMPLETE is a sum over the
 * IP packet: IPv4's header adds nothing to it, and the transport checksum's change takes away what
 * the ports add but not the addresses; IPv6's addresses are in the packet as well, which leaves the
 * hop limit.
 */
static __always_inline int nat_packet(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				      const union flow *f, const bool forwarded)
{
	int summed = ctx_summed(ctx), r;
	__u32 change = 0;

	r = nat_l3(ctx, af, f, forwarded);
	if (r)
		return r;
	if (!(p->flags & IVB_PKT_LATER)) {
		r = nat_l4(ctx, p, &f->flow, summed);
		if (r)
			return r;
	}
	if (summed != CHECKSUM_COMPLETE)
		return 0;
	if (af == AF_INET)
		change = p->flags & IVB_PKT_LATER ? 0 : (__u16)~f->flow.addr_delta;
	else
		change = (forwarded ? HOP_LIMIT_DELTA : 0) +
			 (p->flags & IVB_PKT_LATER ? f->flow.addr_delta : 0);
	ctx_csum_changed(ctx, csum_fold(change));
	return 0;
}

/* A packet that is being forwarded by us. */
static __always_inline int nat(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
			       const union flow *f)
{
	if (f->flow.flags & IVB_FLOW_TUNNEL)
		return TUNNEL_PUSH(af, ctx, f);
	if (f->flow.flags & IVB_FLOW_DIRECT)
		return ttl_dec(ctx, af, ETH_HLEN);
	return nat_packet(ctx, af, p, f, true);
}

/* A flow that turns the tuple into another and does nothing else. */
static __always_inline void retuple(const int af, const union tuple *from, const __be32 *saddr,
				    const __be32 *daddr, __be16 sport, __be16 dport, union flow *f)
{
	__u64 sum = addr_delta(af, TUPLE_SADDR(af, from), saddr) +
		    addr_delta(af, TUPLE_DADDR(af, from), daddr);

	addr_copy(af, FLOW_SADDR(af, f), saddr);
	addr_copy(af, FLOW_DADDR(af, f), daddr);
	f->flow.sport = sport;
	f->flow.dport = dport;
	f->flow.addr_delta = csum_fold(sum);
	f->flow.tuple_delta =
		csum_fold(f->flow.addr_delta +
			  csum_word(TUPLE_SPORT(af, from) | (__u32)TUPLE_DPORT(af, from) << 16,
				    sport | (__u32)dport << 16));
}

#endif
