/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection of kernel IPVS's that has just been made is counted among those of its replies. */
#ifndef IVB_ENGINE_IPVS_JOIN_H
#define IVB_ENGINE_IPVS_JOIN_H

#include "conn/replies.h"
#include "conn/pair.h"

#define JOIN_TRIES 4

/* The replies of that connection are never to go to kernel IPVS. */
static __always_inline int reply_mark(const int af, __u32 id, __u32 gen)
{
	struct ivb_conn *c = conn_get(af, id);
	union tuple key;
	union flow *f;

	if (!c || c->gen != gen)
		return 0;
	conn_key(af, c, &key);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	if (!f || f->flow.conn != id || f->flow.conn_gen != gen)
		return 0;
	f = flow_peer(af, f, tuple_proto(af, &key));
	if (f)
		f->flow.flags |= IVB_FLOW_AMBIGUOUS;
	return 0;
}

GLOBAL int reply_mark4(__u32 id, __u32 gen)
{
	return reply_mark(AF_INET, id, gen);
}

GLOBAL int reply_mark6(__u32 id, __u32 gen)
{
	return reply_mark(AF_INET6, id, gen);
}

/*
 * Counts a connection that has just been made. If it is not alone, its replies are marked and those
 * of the one that was first: all others that are there have been. False: it cannot be counted.
 */
static __always_inline bool reply_join(const int af, const struct ivb_reply_key *k, __u32 id,
				       __u32 gen)
{
	struct ivb_kernel_reply alone = { .held = reply_tag(k) | 1, .conn = id, .gen = gen }, *r;
	__u64 held;
	int i;

	for (i = 0; i < JOIN_TRIES; i++) {
		if (!bpf_map_update_elem(&kernel_replies, k, &alone, BPF_NOEXIST))
			return true;
		r = bpf_map_lookup_elem(&kernel_replies, k);
		held = r ? READ_ONCE(r->held) : 0;
		if (!r || (held ^ alone.held) >> 32 || (__u32)held == REPLY_DELETED ||
		    __sync_val_compare_and_swap(&r->held, held, held + 1) != held)
			continue;
		BY_AF(af, reply_mark, r->conn, r->gen);
		BY_AF(af, reply_mark, id, gen);
		return true;
	}
	return false;
}

static __always_inline int pair_join(const int af, const union tuple *key, const struct pair *pair)
{
	struct ivb_reply_key k;

	reply_key(af, key, pair->server.ip6, pair->port, &k);
	return reply_join(af, &k, pair->conn, pair->gen);
}

GLOBAL int pair_join4(const struct ivb_tuple4 *key, const struct pair *pair)
{
	return key && pair && pair_join(AF_INET, (const union tuple *)key, pair);
}

GLOBAL int pair_join6(const struct ivb_tuple6 *key, const struct pair *pair)
{
	return key && pair && pair_join(AF_INET6, (const union tuple *)key, pair);
}

#endif
