/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments: only the first has ports, and the first that is seen decides for the whole datagram.
 * In order they are carried; a datagram whose later fragment came first is left to the stack, and
 * its first fragment, if it is one of ours, is dropped, since the stack could not use it alone.
 */
#ifndef IVB_LIB_FRAG_H
#define IVB_LIB_FRAG_H

#include "lib/verdict.h"
#include "lib/tuple.h"

#define FRAG_SECONDS 30 /* as net.ipv4.ipfrag_time */

static __always_inline void frag_key(const int af, const struct ivb_pkt *p, const union tuple *t,
				     struct ivb_frag_key *k)
{
	__builtin_memset(k, 0, sizeof(*k));
	addr_copy(af, k->saddr.ip6, TUPLE_SADDR(af, t));
	addr_copy(af, k->daddr.ip6, TUPLE_DADDR(af, t));
	k->id = p->frag_id;
	k->proto = p->frag_proto;
	k->zone = ivb_zone;
}

static __always_inline struct ivb_frag *frag_find(const struct ivb_frag_key *k, __u32 now)
{
	struct ivb_frag *f = bpf_map_lookup_elem(&frags, k);

	return f && now - f->stamp < FRAG_SECONDS * ivb_hz ? f : NULL;
}

/* A later fragment: puts the datagram's ports into the tuple, or says that it is not ours. */
static __always_inline int frag_later(const int af, struct ivb_pkt *p, union tuple *t)
{
	struct ivb_frag entry = { .stamp = bpf_jiffies64() }, *f;
	struct ivb_frag_key k;

	frag_key(af, p, t, &k);
	f = frag_find(&k, entry.stamp);
	if (f && f->fate != IVB_FRAG_PASSED) {
		if (f->fate == IVB_FRAG_SLOW)
			p->flags |= IVB_PKT_SLOW;
		TUPLE_SPORT(af, t) = f->sport;
		TUPLE_DPORT(af, t) = f->dport;
		return 0;
	}
	if (!f)
		bpf_map_update_elem(&frags, &k, &entry, BPF_ANY);
	return -IVB_R_PASS_FRAGMENT;
}

/* The first fragment of a datagram of ours: remembers ports and fate for the later ones. */
static __always_inline int frag_first(const int af, const struct ivb_pkt *p, const union tuple *t,
				      enum ivb_frag_fate fate)
{
	struct ivb_frag entry = {
		.sport = TUPLE_SPORT(af, t),
		.dport = TUPLE_DPORT(af, t),
		.fate = fate,
		.stamp = bpf_jiffies64(),
	};
	struct ivb_frag_key k;
	struct ivb_frag *f;

	frag_key(af, p, t, &k);
	f = frag_find(&k, entry.stamp);
	if (f && f->fate == IVB_FRAG_PASSED)
		return -IVB_R_FRAG_ORDER;
	return bpf_map_update_elem(&frags, &k, &entry, BPF_ANY) ? -IVB_R_FRAG_ORDER : 0;
}

GLOBAL int frag_later4(struct ivb_pkt *p, struct ivb_tuple4 *t)
{
	return p && t ? frag_later(AF_INET, p, (union tuple *)t) : -IVB_R_PASS_FRAGMENT;
}

GLOBAL int frag_later6(struct ivb_pkt *p, struct ivb_tuple6 *t)
{
	return p && t ? frag_later(AF_INET6, p, (union tuple *)t) : -IVB_R_PASS_FRAGMENT;
}

GLOBAL int frag_first4(const struct ivb_pkt *p, const struct ivb_tuple4 *t, __u32 fate)
{
	return p && t ? frag_first(AF_INET, p, (const union tuple *)t, fate) : -IVB_R_FRAG_ORDER;
}

GLOBAL int frag_first6(const struct ivb_pkt *p, const struct ivb_tuple6 *t, __u32 fate)
{
	return p && t ? frag_first(AF_INET6, p, (const union tuple *)t, fate) : -IVB_R_FRAG_ORDER;
}

#endif
