/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors of our own, for packets that cannot go on (RFC 792, RFC 1812, RFC 4443): the packet
 * is turned into the error that quotes it and goes back where it came from. At most ICMP_RATE a
 * second and CPU, as net.ipv4.icmp_msgs_per_sec.
 */
#ifndef IVB_XMIT_ICMP_SEND_H
#define IVB_XMIT_ICMP_SEND_H

#include "pkt/icmp.h"
#include "lib/verdict.h"
#include "xmit/nexthop.h"
#include "lib/tuple.h"

#define ICMP_RATE 1000
#define ICMP_BURST 50
#define ICMP_TTL 64
#define ICMP_TOS 0xc0 /* internetwork control, as the kernel */

struct icmp_what {
	__u8 type;
	__u8 code;
	__u32 mtu;	 /* 0 where the type has none */
	__be32 saddr[4]; /* of the error */
};

struct icmp4_head {
	struct iphdr ip;
	struct ivb_icmp icmp;
};

struct icmp6_head {
	struct ipv6hdr ip6;
	struct ivb_icmp icmp;
};

static __always_inline bool icmp_allowed(void)
{
	__u32 zero = 0, now = bpf_jiffies64(), gained;
	struct icmp_bucket *b = bpf_map_lookup_elem(&icmp_tokens, &zero);

	if (!b)
		return false;
	gained = (now - b->stamp) * ICMP_RATE / ivb_hz;
	if (gained || !b->stamp) {
		b->stamp = now;
		b->tokens = gained + b->tokens > ICMP_BURST ? ICMP_BURST : gained + b->tokens;
	}
	if (!b->tokens)
		return false;
	b->tokens--;
	return true;
}

/*
 * Sum of the quoted bytes as they will be on the wire. With CHECKSUM_PARTIAL the device is still to
 * write the quote's transport checksum, whose field now holds the pseudo header's sum s: the sum of
 * the transport part will then be the complement of s, whatever it holds.
 */
static __always_inline __u64 quote_sum(const __u32 *quote, __u32 l4, bool partial, __u16 check)
{
	__u32 words = partial ? l4 / 4 : ICMP_QUOTE / 4, i;
	__u64 sum = partial ? (__u16)~check : 0;

	for (i = 0; i < ICMP_QUOTE / 4; i++) {
		if (i < words)
			sum += quote[i];
	}
	return sum;
}

static __always_inline void icmp4_head(struct icmp4_head *h, const struct icmp_what *w,
				       const __be32 *to, __u32 quote, __u64 sum)
{
	const __u16 *ip = (const __u16 *)&h->ip;
	__u64 ip_sum = 0;
	int i;

	h->ip.version = 4;
	h->ip.ihl = 5;
	h->ip.tos = ICMP_TOS;
	h->ip.tot_len = bpf_htons(sizeof(*h) + quote);
	h->ip.frag_off = bpf_htons(0x4000);
	h->ip.ttl = ICMP_TTL;
	h->ip.protocol = IPPROTO_ICMP;
	h->ip.saddr = w->saddr[0];
	h->ip.daddr = to[0];
	for (i = 0; i < (int)sizeof(h->ip) / 2; i++)
		ip_sum += ip[i];
	h->ip.check = ~csum_fold(ip_sum);
	h->icmp.type = w->type;
	h->icmp.code = w->code;
	h->icmp.rest = bpf_htonl(w->mtu); /* 16 unused bits, then the MTU */
	sum += bpf_htons(w->type << 8 | w->code) + (__u64)h->icmp.rest;
	h->icmp.checksum = ~csum_fold(sum);
}

static __always_inline void icmp6_head(struct icmp6_head *h, const struct icmp_what *w,
				       const __be32 *to, __u32 quote, __u64 sum)
{
	__u32 len = sizeof(h->icmp) + quote;

	h->ip6.version = 6;
	h->ip6.payload_len = bpf_htons(len);
	h->ip6.nexthdr = IPPROTO_ICMPV6;
	h->ip6.hop_limit = ICMP_TTL;
	__builtin_memcpy(&h->ip6.saddr, w->saddr, sizeof(h->ip6.saddr));
	__builtin_memcpy(&h->ip6.daddr, to, sizeof(h->ip6.daddr));
	h->icmp.type = w->type;
	h->icmp.code = w->code;
	h->icmp.rest = bpf_htonl(w->mtu);
	sum += (__u64)w->saddr[0] + w->saddr[1] + w->saddr[2] + w->saddr[3];
	sum += (__u64)to[0] + to[1] + to[2] + to[3];
	sum += bpf_htonl(len) + (__u64)bpf_htonl(IPPROTO_ICMPV6);
	sum += bpf_htons(w->type << 8 | w->code) + (__u64)h->icmp.rest;
	h->icmp.checksum = ~csum_fold(sum);
}

/* quote is 1 to ICMP_QUOTE, which 6.1 has forgotten by now ("R3 min value is outside of ..."). */
static __always_inline int quote_load(struct ivb_ctx *ctx, struct scratch *s, __u32 quote)
{
	asm volatile("" : "+r"(quote));
	quote = ((quote - 1) & (ICMP_QUOTE - 1)) + 1;
	return ctx_load(ctx, ETH_HLEN, s->quote, quote);
}

/* The frame becomes Ethernet, IP, ICMP, quote; *to is whoever sent it. */
static __always_inline int icmp_build(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				      const struct icmp_what *w, const __be32 *to)
{
	const __u32 head = af == AF_INET ? sizeof(struct icmp4_head) : sizeof(struct icmp6_head);
	__u32 quote = p->l3_len < ICMP_QUOTE ? p->l3_len : ICMP_QUOTE;
	__u32 check_off = p->l4_off + (p->proto == IPPROTO_TCP ? 16 : 6);
	bool partial = ctx_summed(ctx) == CHECKSUM_PARTIAL;
	struct scratch *s = scratch_get();
	__u16 check = 0;
	__u64 sum;

	if (!s || quote < 28 || ctx_trim(ctx, ETH_HLEN + quote))
		return -1;
	if (quote_load(ctx, s, quote) ||
	    (partial && ctx_load(ctx, check_off, &check, sizeof(check))))
		return -1;
	sum = quote_sum(s->quote, p->l4_off - ETH_HLEN, partial, check);
	if (ctx_push_l3(ctx, head))
		return -1;
	if (af == AF_INET)
		icmp4_head((struct icmp4_head *)s->head, w, to, quote, sum);
	else
		icmp6_head((struct icmp6_head *)s->head, w, to, quote, sum);
	return ctx_store(ctx, ETH_HLEN, s->head, head);
}

/* Back out of the device that it came in by, to the neighbour that it came from. */
static __always_inline int bounce(struct ivb_ctx *ctx)
{
	struct ethhdr *eth = ctx_data(ctx);
	__u8 mac[ETH_ALEN];

	if ((void *)(eth + 1) > ctx_end(ctx))
		return -1;
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	return ctx_redirect(ctx, ctx_ifindex(ctx));
}

/* Answers the packet with the error and counts it under reason; else drops it for that reason. */
static __always_inline int icmp_send(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     const struct icmp_what *w, __u32 reason)
{
	__u32 len = ctx_len(ctx);
	void *data = ctx_data(ctx);
	__be32 to[4] = {};

	if (p->flags & IVB_PKT_LATER)
		return -reason;
	if (!icmp_allowed()) {
		count(IVB_R_ICMP_LIMITED, len);
		return -reason;
	}
	if (data + ETH_HLEN + (af == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) >
	    ctx_end(ctx))
		return -reason;
	addr_copy(af, to, pkt_addrs(af, data));
	if (icmp_build(ctx, af, p, w, to) || bounce(ctx))
		return -reason;
	count(reason, len);
	count(IVB_R_ICMP_SENT, ctx_len(ctx));
	return IVB_REDIRECTED;
}

/*
 * The address that the error comes from: the one that the packet was sent to, which is ours (the
 * service's, or SNAT's). A server's packet without SNAT was sent to the client: then the service's.
 */
static __always_inline void icmp_source(struct ivb_ctx *ctx, const int af, const union flow *f,
					struct icmp_what *w)
{
	void *data = ctx_data(ctx);

	if (f && (f->flow.flags & (IVB_FLOW_REPLY | IVB_FLOW_SNAT)) == IVB_FLOW_REPLY) {
		addr_copy(af, w->saddr, FLOW_SADDR(af, f));
		return;
	}
	if (data + ETH_HLEN + (af == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) <=
	    ctx_end(ctx))
		addr_copy(af, w->saddr, pkt_addrs(af, data) + ADDR_WORDS(af));
}

/* Which error tells the sender of the reason (no server: as ip_vs_leave()). */
static __always_inline void icmp_choose(const int af, __u32 reason, struct icmp_what *w)
{
	const bool v4 = af == AF_INET;

	if (reason == IVB_R_TTL) {
		w->type = v4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEED;
	} else if (reason == IVB_R_TOO_BIG) {
		w->type = v4 ? ICMP_DEST_UNREACH : ICMPV6_PKT_TOOBIG;
		w->code = v4 ? ICMP_FRAG_NEEDED : 0;
	} else {
		w->type = v4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
		w->code = v4 ? ICMP_PORT_UNREACH : ICMPV6_PORT_UNREACH;
	}
}

/*
 * Drops the packet for IVB_R_TTL, IVB_R_TOO_BIG (mtu: of the next hop) or IVB_R_NO_DEST, and tells
 * its sender. f: its flow, if there is one. An IPv4 packet without DF would be fragmented by a
 * router; we cannot, and there is no error that says so.
 */
static __always_inline int refuse(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				  const union flow *f, __u32 reason, __u32 mtu)
{
	struct icmp_what w = { .mtu = mtu };

	if (af == AF_INET && reason == IVB_R_TOO_BIG && !(p->flags & IVB_PKT_DONT_FRAGMENT))
		return -IVB_R_TOO_BIG;
	icmp_choose(af, reason, &w);
	icmp_source(ctx, af, f, &w);
	return icmp_send(ctx, af, p, &w, reason);
}

GLOBAL int refuse4(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_flow4 *f,
		   __u32 reason, __u32 mtu)
{
	return p ? refuse(ctx, AF_INET, p, (const union flow *)f, reason, mtu) : IVB_NEXT;
}

GLOBAL int refuse6(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_flow6 *f,
		   __u32 reason, __u32 mtu)
{
	return p ? refuse(ctx, AF_INET6, p, (const union flow *)f, reason, mtu) : IVB_NEXT;
}

#define REFUSE(af, ctx, p, f, reason, mtu)                           \
	((af) == AF_INET ? refuse4(ctx, p, (void *)(f), reason, mtu) \
			 : refuse6(ctx, p, (void *)(f), reason, mtu))

#endif
