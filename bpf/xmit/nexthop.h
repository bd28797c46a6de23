/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a translated packet leaves: the cache of next hops, and the routing tables behind it. A
 * packet that finds no entry younger than a second asks the routing tables, renews the entry, and
 * goes through the kernel's neighbour code, so that entries which have gone stale are probed.
 */
#ifndef IVB_XMIT_NEXTHOP_H
#define IVB_XMIT_NEXTHOP_H

#include "lib/verdict.h"
#include "lib/tuple.h"

struct route {
	__u32 ifindex;
	__u32 mtu;		   /* 0: checked already */
	struct bpf_redir_neigh nh; /* used when the cache had nothing */
};

static __always_inline __u32 nexthop_index(const int af, const __be32 *saddr, const __be32 *daddr)
{
	__u64 a = (__u64)saddr[0] << 32 | daddr[0], b = ivb_zone;

	if (af == AF_INET6) {
		a ^= (__u64)saddr[1] << 32 | daddr[1];
		b ^= ((__u64)saddr[3] << 32 | daddr[3]) ^ ((__u64)daddr[2] << 32 | saddr[2]);
	}
	return spread(a, b, ivb_nexthop_mask + 1) & ivb_nexthop_mask;
}

/* The entry, if it speaks of these addresses and is younger than a second. */
static __always_inline struct ivb_nexthop *nexthop_fresh(const int af, __u32 index, __u32 now,
							 const __be32 *saddr, const __be32 *daddr)
{
	struct ivb_nexthop *nh = bpf_map_lookup_elem(&nexthops, &index);
	__u32 stamp;

	if (!nh)
		return NULL;
	stamp = READ_ONCE(nh->stamp);
	if (!stamp || (__s32)(now - stamp) >= (__s32)ivb_hz)
		return NULL;
	if (nh->zone != ivb_zone || !addr_equal(af, nh->daddr.ip6, daddr) ||
	    !addr_equal(af, nh->saddr.ip6, saddr))
		return NULL;
	return nh;
}

static __always_inline void nexthop_store(const int af, __u32 index, __u32 now,
					  const struct bpf_fib_lookup *fib, const __be32 *saddr,
					  const __be32 *daddr)
{
	struct ivb_nexthop *nh = bpf_map_lookup_elem(&nexthops, &index);

	if (!nh || __sync_val_compare_and_swap(&nh->lock, 0, 1))
		return; /* another CPU is at it */
	WRITE_ONCE(nh->stamp, 0);
	nh->ifindex = fib->ifindex;
	nh->mtu = fib->mtu_result;
	nh->zone = ivb_zone;
	__builtin_memcpy(nh->smac, fib->smac, ETH_ALEN);
	__builtin_memcpy(nh->dmac, fib->dmac, ETH_ALEN);
	__builtin_memset(&nh->saddr, 0, sizeof(nh->saddr) + sizeof(nh->daddr));
	addr_copy(af, nh->saddr.ip6, saddr);
	addr_copy(af, nh->daddr.ip6, daddr);
	WRITE_ONCE(nh->stamp, now | 1);
	WRITE_ONCE(nh->lock, 0);
}

static __always_inline int fib_reason(int rc)
{
	switch (rc) {
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return -IVB_R_FWD_DISABLED;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return -IVB_R_TOO_BIG;
	default:
		return -IVB_R_NO_ROUTE;
	}
}

struct route_query {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u32 len; /* of the largest IP packet that will leave */
	__u8 proto;
};

/* Asks the routing tables. On -IVB_R_TOO_BIG route->mtu is the route's. */
static __always_inline int route_lookup(struct ivb_ctx *ctx, const int af,
					const struct route_query *q, __u32 index,
					struct route *route)
{
	struct bpf_fib_lookup fib = {
		.family = af,
		.l4_protocol = q->proto,
		.sport = q->sport,
		.dport = q->dport,
		.tot_len = q->len > 0xffff ? 0xffff : q->len,
		.ifindex = ctx_ifindex(ctx),
	};
	__u32 now = bpf_jiffies64();
	int rc;

	if (af == AF_INET) {
		fib.ipv4_src = q->saddr[0];
		fib.ipv4_dst = q->daddr[0];
	} else {
		addr_copy(af, fib.ipv6_src, q->saddr);
		addr_copy(af, fib.ipv6_dst, q->daddr);
	}
	rc = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (rc < 0 || (rc != BPF_FIB_LKUP_RET_SUCCESS && rc != BPF_FIB_LKUP_RET_NO_NEIGH)) {
		route->mtu = fib.mtu_result;
		return rc < 0 ? -IVB_R_NO_ROUTE : fib_reason(rc);
	}
	route->ifindex = fib.ifindex;
	route->mtu = 0;
	route->nh.nh_family = fib.family;
	if (fib.family == AF_INET)
		route->nh.ipv4_nh = fib.ipv4_dst;
	else
		__builtin_memcpy(route->nh.ipv6_nh, fib.ipv6_dst, sizeof(fib.ipv6_dst));
	if (rc == BPF_FIB_LKUP_RET_SUCCESS)
		nexthop_store(af, index, now, &fib, q->saddr, q->daddr);
	return 0;
}

GLOBAL int route_lookup4(struct ivb_ctx *ctx, const struct route_query *q, __u32 index,
			 struct route *route)
{
	return q && route ? route_lookup(ctx, AF_INET, q, index, route) : -IVB_R_NO_ROUTE;
}

GLOBAL int route_lookup6(struct ivb_ctx *ctx, const struct route_query *q, __u32 index,
			 struct route *route)
{
	return q && route ? route_lookup(ctx, AF_INET6, q, index, route) : -IVB_R_NO_ROUTE;
}

#endif
