/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the director itself has a socket that a reply to a client's connection would go to: its
 * own connection to that server (a health check), or one that is bound to the port.
 */
#ifndef IVB_SNAT_HOST_H
#define IVB_SNAT_HOST_H

#include "lib/verdict.h"
#include "lib/tuple.h"

/* The lookup also finds sockets that listen, or are in TIME_WAIT. A key begins as its tuple does. */
static __always_inline int host_has(struct ivb_ctx *ctx, const int af, const union tuple *reply)
{
	struct bpf_sock_tuple *t = (struct bpf_sock_tuple *)reply;
	const __u32 size = af == AF_INET ? sizeof(t->ipv4) : sizeof(t->ipv6);
	struct bpf_sock *sk;

	if (tuple_proto(af, reply) == IPPROTO_TCP)
		sk = bpf_skc_lookup_tcp(ctx, t, size, BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(ctx, t, size, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	bpf_sk_release(sk);
	return 1;
}

GLOBAL int host_has4(struct ivb_ctx *ctx, const struct ivb_tuple4 *reply)
{
	return reply ? host_has(ctx, AF_INET, (const union tuple *)reply) : 0;
}

GLOBAL int host_has6(struct ivb_ctx *ctx, const struct ivb_tuple6 *reply)
{
	return reply ? host_has(ctx, AF_INET6, (const union tuple *)reply) : 0;
}

_Static_assert(offsetof(struct ivb_tuple4, dport) == 10 && offsetof(struct ivb_tuple6, dport) == 34,
	       "a key begins as struct bpf_sock_tuple does");

#endif
