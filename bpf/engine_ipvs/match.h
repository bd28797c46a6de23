/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For a rule of netfilter's (-t raw -m bpf): does the packet belong to a connection that is
 * followed? Then conntrack is to leave it alone. There it begins with its IP header, and is no
 * fragment; bridged frames come by as well. A reply whose SNAT ingress has undone has a tuple that
 * nobody knows, hence the priority.
 */
#ifndef IVB_ENGINE_IPVS_MATCH_H
#define IVB_ENGINE_IPVS_MATCH_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "engine_ipvs/note.h"
#include "lib/tuple.h"

static __always_inline bool match_load(const struct ivb_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return !bpf_skb_load_bytes_relative(ctx, off, to, len, BPF_HDR_START_NET);
}

static __always_inline bool match_flow(const int af, const struct ivb_ctx *ctx, union tuple *key,
				       __u32 zone, __u8 proto, __u32 l4_off)
{
	struct ivb_flow *f;
	__be16 ports[2];

	if ((proto != IPPROTO_TCP && proto != IPPROTO_UDP) ||
	    !match_load(ctx, l4_off, ports, sizeof(ports)))
		return false;
	TUPLE_SPORT(af, key) = ports[0];
	TUPLE_DPORT(af, key) = ports[1];
	tuple_set_proto(af, key, proto);
	if (af == AF_INET)
		key->v4.zone = zone;
	else
		key->v6.zone = zone;
	f = bpf_map_lookup_elem(MAP_OF(af, flows), key);
	return f && f->flags & IVB_FLOW_KERNEL;
}

static __always_inline bool match4(const struct ivb_ctx *ctx, __u32 zone)
{
	union tuple key = {};
	struct iphdr ip;

	if (!match_load(ctx, 0, &ip, sizeof(ip)))
		return false;
	key.v4.saddr = ip.saddr;
	key.v4.daddr = ip.daddr;
	return match_flow(AF_INET, ctx, &key, zone, ip.protocol, ip.ihl * 4);
}

/* Packets with extension headers are rare enough to be conntrack's. */
static __always_inline bool match6(const struct ivb_ctx *ctx, __u32 zone)
{
	union tuple key = {};
	struct ipv6hdr ip;

	if (!match_load(ctx, 0, &ip, sizeof(ip)))
		return false;
	__builtin_memcpy(key.v6.saddr, &ip.saddr, sizeof(key.v6.saddr));
	__builtin_memcpy(key.v6.daddr, &ip.daddr, sizeof(key.v6.daddr));
	return match_flow(AF_INET6, ctx, &key, zone, ip.nexthdr, sizeof(ip));
}

static __always_inline bool match_followed(const struct ivb_ctx *ctx)
{
	__u32 ifindex = ctx->ifindex;
	struct ivb_dev *dev = bpf_map_lookup_elem(&ivb_devs, &ifindex);

	if (!dev)
		return false;
	if (ctx->priority == IVB_PRIORITY_SLOW)
		return true;
	return ctx_protocol(ctx) == bpf_htons(ETH_P_IPV6) ? match6(ctx, dev->zone)
							  : match4(ctx, dev->zone);
}

#endif
