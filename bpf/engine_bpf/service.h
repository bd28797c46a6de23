/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services: whether a packet is addressed to one, and whether its address is the director's own. */
#ifndef IVB_ENGINE_BPF_SERVICE_H
#define IVB_ENGINE_BPF_SERVICE_H

#include "lib/address.h"
#include "lib/verdict.h"
#include "lib/tuple.h"

static __always_inline struct ivb_service *service_find(const int af, const union tuple *key)
{
	struct ivb_service_key k = {
		.port = TUPLE_DPORT(af, key),
		.proto = tuple_proto(af, key),
		.af = af,
		.zone = ivb_zone,
	};

	addr_copy(af, k.addr.ip6, TUPLE_DADDR(af, key));
	return bpf_map_lookup_elem(&ivb_services, &k);
}

/* What bpf_fib_lookup() says of an address as the destination of a packet that came in here. */
static __always_inline int fib_ask(struct ivb_ctx *ctx, const int af, const __be32 *daddr)
{
	struct bpf_fib_lookup fib = { .family = af, .ifindex = ctx_ifindex(ctx), .tot_len = 1 };

	if (af == AF_INET)
		fib.ipv4_dst = daddr[0];
	else
		addr_copy(af, fib.ipv6_dst, daddr);
	return bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
}

/*
 * The routing tables answer NOT_FWDED for a local address, and for one without any route. The
 * address beside it (last bit turned) tells the two apart where that one has a route; else the
 * addresses of the devices do. A device that does not forward gets no answer from the tables at
 * all.
 */
static __always_inline bool address_local(struct ivb_ctx *ctx, const int af,
					  const union ivb_addr *a)
{
	const __be32 *addr = a->ip6;
	__be32 beside[4] = {};
	int rc = fib_ask(ctx, af, addr);

	if (rc == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return address_on_device(ctx, af, addr);
	if (rc != BPF_FIB_LKUP_RET_NOT_FWDED)
		return false;
	addr_copy(af, beside, addr);
	beside[af == AF_INET ? 0 : 3] ^= bpf_htonl(1);
	if (fib_ask(ctx, af, beside) != BPF_FIB_LKUP_RET_NOT_FWDED)
		return true;
	return address_on_device(ctx, af, addr);
}

GLOBAL int address_local4(struct ivb_ctx *ctx, const union ivb_addr *addr)
{
	return addr && address_local(ctx, AF_INET, addr);
}

GLOBAL int address_local6(struct ivb_ctx *ctx, const union ivb_addr *addr)
{
	return addr && address_local(ctx, AF_INET6, addr);
}

/*
 * Whether the service's address is the director's own. "Yes" is kept for a second (0 stands for
 * "never asked"). "No" is not kept: an address may have come just now, and the stack would answer
 * what we pass on with RST.
 */
static __always_inline bool service_local(struct ivb_ctx *ctx, const int af, __u32 slot,
					  const __be32 *addr)
{
	struct ivb_service_state *s = bpf_map_lookup_elem(&ivb_service_state, &slot);
	__u32 now = bpf_jiffies64(), checked;
	union ivb_addr a = {};
	bool local;

	if (!s)
		return false;
	checked = READ_ONCE(s->checked);
	if (checked && now - checked < ivb_hz && READ_ONCE(s->local))
		return true;
	addr_copy(af, a.ip6, addr);
	local = BY_AF(af, address_local, ctx, &a);
	WRITE_ONCE(s->local, local);
	WRITE_ONCE(s->checked, now ? now : 1);
	return local;
}

#endif
