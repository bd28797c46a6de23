/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies that kernel IPVS could not tell apart: two connections of a client's port, through two
 * virtual addresses, to one server. To kernel IPVS, for which SNAT is undone, their replies are the
 * same; so they are carried, and never go to it. Who has which tuple is counted here.
 */
#ifndef IVB_CONN_REPLIES_H
#define IVB_CONN_REPLIES_H

#include "lib/verdict.h"
#include "lib/tuple.h"

#define LEAVE_TRIES 4
#define REPLY_DELETED 0xffffffffu /* the last one has left, and is about to delete the element */

/* As kernel IPVS sees a reply of the connection with that forward key, to this server. */
static __always_inline void reply_key(const int af, const union tuple *key, const __be32 *server,
				      __be16 port, struct ivb_reply_key *k)
{
	__builtin_memset(k, 0, sizeof(*k));
	addr_copy(af, k->server.ip6, server);
	addr_copy(af, k->client.ip6, TUPLE_SADDR(af, key));
	k->sport = port;
	k->dport = TUPLE_SPORT(af, key);
	k->proto = tuple_proto(af, key);
	k->af = af;
}

/* Tells elements apart that were deleted, and taken for another tuple, under somebody's hands. */
static __always_inline __u64 reply_tag(const struct ivb_reply_key *k)
{
	const __u64 *w = (const __u64 *)k;

	return (__u64)mix(w[0] ^ w[2], w[1] ^ w[3] ^ w[4]) << 32;
}

/* One of them has ended; the last one takes the element away. */
static __always_inline void reply_leave(const struct ivb_reply_key *k)
{
	struct ivb_kernel_reply *r = bpf_map_lookup_elem(&kernel_replies, k);
	__u64 tag = reply_tag(k), held, next;
	int i;

	if (!r)
		return;
	for (i = 0; i < LEAVE_TRIES; i++) {
		held = READ_ONCE(r->held);
		if ((held ^ tag) >> 32 || (__u32)held == REPLY_DELETED)
			return;
		next = (__u32)held == 1 ? tag | REPLY_DELETED : held - 1;
		if (__sync_val_compare_and_swap(&r->held, held, next) == held) {
			if ((__u32)next == REPLY_DELETED)
				bpf_map_delete_elem(&kernel_replies, k);
			return;
		}
	}
}

/* Direct routing's replies do not come by here. */
static __always_inline bool reply_counts(const union flow *f)
{
	const __u32 all = IVB_FLOW_KERNEL | IVB_FLOW_DIRECT | IVB_FLOW_UNCOUNTED;

	return (f->flow.flags & all) == IVB_FLOW_KERNEL;
}

static __always_inline int flow_leave(const int af, const union tuple *key, const union flow *f)
{
	struct ivb_reply_key k;

	reply_key(af, key, FLOW_DADDR(af, f), f->flow.dport, &k);
	reply_leave(&k);
	return 0;
}

GLOBAL int flow_leave4(const struct ivb_tuple4 *key, const struct ivb_flow4 *f)
{
	return key && f ? flow_leave(AF_INET, (const union tuple *)key, (const union flow *)f) : 0;
}

GLOBAL int flow_leave6(const struct ivb_tuple6 *key, const struct ivb_flow6 *f)
{
	return key && f ? flow_leave(AF_INET6, (const union tuple *)key, (const union flow *)f) : 0;
}

#define FLOW_LEAVE(af, key, f)                                                    \
	((af) == AF_INET ? flow_leave4(&(key)->v4, (const struct ivb_flow4 *)(f)) \
			 : flow_leave6(&(key)->v6, (const struct ivb_flow6 *)(f)))

#endif
