/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an address stands on a device of the packet's network namespace, read from the kernel's
 * own lists (struct net, net_device, in_device, inet6_dev). Slow, and only asked where the routing
 * tables cannot tell: see address_local().
 */
#ifndef IVB_LIB_ADDRESS_H
#define IVB_LIB_ADDRESS_H

#include "lib/verdict.h"
#include "lib/tuple.h"

#define ADDRESS_STEPS 65536 /* addresses and devices looked at */

struct list_head___ivb {
	struct list_head___ivb *next;
} __attribute__((preserve_access_index));

struct in_ifaddr___ivb {
	struct in_ifaddr___ivb *ifa_next;
	__be32 ifa_local;
	__be32 ifa_mask;
	unsigned char ifa_scope;
	__u32 ifa_flags;
} __attribute__((preserve_access_index));

struct in_device___ivb {
	struct in_ifaddr___ivb *ifa_list;
} __attribute__((preserve_access_index));

struct inet6_ifaddr___ivb {
	struct in6_addr addr;
	__u32 prefix_len;
	__u32 flags;
	struct list_head___ivb if_list;
} __attribute__((preserve_access_index));

struct inet6_dev___ivb {
	struct list_head___ivb addr_list;
} __attribute__((preserve_access_index));

struct net___ivb {
	struct list_head___ivb dev_base_head;
} __attribute__((preserve_access_index));

struct net_device___ivb {
	struct list_head___ivb dev_list;
	struct in_device___ivb *ip_ptr;
	struct inet6_dev___ivb *ip6_ptr;
	struct {
		struct net___ivb *net;
	} nd_net;
} __attribute__((preserve_access_index));

struct address_walk {
	__be32 addr[4];
	void *devices;	    /* list head of all devices */
	void *device;	    /* list node of the current one */
	void *ifa;	    /* IPv4: the in_ifaddr to look at, or NULL: on to the next device */
	void *ifa6, *ifa6s; /* IPv6: list node, list head */
	bool found;
};

/* Moves on to the next device; 1: that was the last. */
static __always_inline long address_next_device(const int af, struct address_walk *w)
{
	struct list_head___ivb *node = w->device;
	struct net_device___ivb *dev;
	void *in;

	node = BPF_CORE_READ(node, next);
	w->device = node;
	if (!node || node == w->devices)
		return 1;
	dev = (void *)node - bpf_core_field_offset(struct net_device___ivb, dev_list);
	if (af == AF_INET) {
		in = BPF_CORE_READ(dev, ip_ptr);
		w->ifa = in ? BPF_CORE_READ((struct in_device___ivb *)in, ifa_list) : NULL;
		return 0;
	}
	in = BPF_CORE_READ(dev, ip6_ptr);
	w->ifa6 = NULL;
	if (in) {
		node = in + bpf_core_field_offset(struct inet6_dev___ivb, addr_list);
		w->ifa6s = node;
		w->ifa6 = BPF_CORE_READ(node, next);
	}
	return 0;
}

static long address_step4(__u32 i, struct address_walk *w)
{
	struct in_ifaddr___ivb *ifa = w->ifa;

	if (!ifa)
		return address_next_device(AF_INET, w);
	w->found = BPF_CORE_READ(ifa, ifa_local) == w->addr[0];
	w->ifa = BPF_CORE_READ(ifa, ifa_next);
	return w->found;
}

static long address_step6(__u32 i, struct address_walk *w)
{
	struct list_head___ivb *node = w->ifa6;
	struct inet6_ifaddr___ivb *ifa;
	struct in6_addr addr = {};

	if (!node || node == w->ifa6s)
		return address_next_device(AF_INET6, w);
	ifa = (void *)node - bpf_core_field_offset(struct inet6_ifaddr___ivb, if_list);
	bpf_core_read(&addr, sizeof(addr), &ifa->addr);
	w->found = addr_equal(AF_INET6, addr.s6_addr32, w->addr);
	w->ifa6 = BPF_CORE_READ(node, next);
	return w->found;
}

/*
 * A NULL of which the verifier does not know. 6.1 goes through the callback of a loop once, from the
 * state before its first turn, and takes away branches that are not taken then: with plain NULLs no
 * address is ever looked at (tests/pkt finds every service "not local" there).
 */
static __always_inline void *hidden_null(void)
{
	__u64 zero = bpf_jiffies64();

	asm volatile("%0 ^= %0" : "+r"(zero));
	return (void *)zero;
}

static __always_inline bool address_on_device(struct ivb_ctx *ctx, const int af, const __be32 *addr)
{
	struct net_device___ivb *dev = ctx_netdev(ctx);
	struct address_walk w = {};
	struct net___ivb *net;

	net = dev ? BPF_CORE_READ(dev, nd_net.net) : NULL;
	if (!net)
		return false;
	addr_copy(af, w.addr, addr);
	w.ifa = w.ifa6 = w.ifa6s = hidden_null();
	w.devices = (void *)net + bpf_core_field_offset(struct net___ivb, dev_base_head);
	w.device = w.devices;
	if (af == AF_INET)
		bpf_loop(ADDRESS_STEPS, address_step4, &w, 0);
	else
		bpf_loop(ADDRESS_STEPS, address_step6, &w, 0);
	return w.found;
}

/*
 * The address that the host would send from by the device of the packet (at egress): as
 * inet_select_addr() for masquerading, the first one in a network with the server, else the first.
 */
struct source_walk {
	__be32 daddr[4];
	__be32 addr[4]; /* zero: none yet */
	void *node;	/* IPv4: in_ifaddr; IPv6: list node */
	void *head;	/* IPv6: list head */
	bool found;
};

#define SOURCE_STEPS 256
#define IFA_UNFIT 0x6d /* IFA_F_TEMPORARY, OPTIMISTIC, DADFAILED, DEPRECATED, TENTATIVE */

static __always_inline bool prefix_equal(const __be32 *a, const __be32 *b, __u32 len)
{
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < 4; i++) {
		__u32 bits = len > 32 * (__u32)i ? len - 32 * i : 0;
		__u32 mask = bits >= 32 ? ~0u : bits ? bpf_htonl(~0u << (32 - bits)) : 0;

		if ((a[i] ^ b[i]) & mask)
			return false;
	}
	return true;
}

static long source_step4(__u32 i, struct source_walk *w)
{
	struct in_ifaddr___ivb *ifa = w->node;
	__be32 addr;

	if (!ifa)
		return 1;
	w->node = BPF_CORE_READ(ifa, ifa_next);
	addr = BPF_CORE_READ(ifa, ifa_local);
	/* RT_SCOPE_UNIVERSE; IFA_F_SECONDARY */
	if (BPF_CORE_READ(ifa, ifa_scope) || BPF_CORE_READ(ifa, ifa_flags) & 1)
		return 0;
	w->found = !((addr ^ w->daddr[0]) & BPF_CORE_READ(ifa, ifa_mask));
	if (w->found || !w->addr[0])
		w->addr[0] = addr;
	return w->found;
}

static long source_step6(__u32 i, struct source_walk *w)
{
	struct list_head___ivb *node = w->node;
	struct inet6_ifaddr___ivb *ifa;
	struct in6_addr addr = {};

	if (!node || node == w->head)
		return 1;
	ifa = (void *)node - bpf_core_field_offset(struct inet6_ifaddr___ivb, if_list);
	w->node = BPF_CORE_READ(node, next);
	bpf_core_read(&addr, sizeof(addr), &ifa->addr);
	/* link-local addresses lead nowhere */
	if (BPF_CORE_READ(ifa, flags) & IFA_UNFIT ||
	    (addr.s6_addr32[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000))
		return 0;
	w->found = prefix_equal(addr.s6_addr32, w->daddr, BPF_CORE_READ(ifa, prefix_len));
	if (w->found || addr_zero(AF_INET6, w->addr))
		addr_copy(AF_INET6, w->addr, addr.s6_addr32);
	return w->found;
}

static __always_inline bool address_source(struct ivb_ctx *ctx, const int af,
					   const union ivb_addr *daddr, union ivb_addr *ret)
{
	struct net_device___ivb *dev = ctx_netdev(ctx);
	struct source_walk w = {};
	struct list_head___ivb *head;
	void *in;

	in = !dev	     ? NULL
	     : af == AF_INET ? (void *)BPF_CORE_READ(dev, ip_ptr)
			     : (void *)BPF_CORE_READ(dev, ip6_ptr);
	if (!in)
		return false;
	addr_copy(af, w.daddr, daddr->ip6);
	w.node = w.head = hidden_null();
	if (af == AF_INET) {
		w.node = BPF_CORE_READ((struct in_device___ivb *)in, ifa_list);
		bpf_loop(SOURCE_STEPS, source_step4, &w, 0);
	} else {
		head = in + bpf_core_field_offset(struct inet6_dev___ivb, addr_list);
		w.head = head;
		w.node = BPF_CORE_READ(head, next);
		bpf_loop(SOURCE_STEPS, source_step6, &w, 0);
	}
	addr_copy(af, ret->ip6, w.addr);
	return !addr_zero(af, w.addr);
}

GLOBAL int address_source4(struct ivb_ctx *ctx, const union ivb_addr *daddr, union ivb_addr *ret)
{
	return daddr && ret && address_source(ctx, AF_INET, daddr, ret);
}

GLOBAL int address_source6(struct ivb_ctx *ctx, const union ivb_addr *daddr, union ivb_addr *ret)
{
	return daddr && ret && address_source(ctx, AF_INET6, daddr, ret);
}

#endif
