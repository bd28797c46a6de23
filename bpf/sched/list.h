/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the schedulers that compare servers share: the walk over a service's servers, in the
 * kernel's order. User space has laid them out as pairs of words, slot and weight (struct
 * ivb_sched); servers of weight 0 are not among them.
 */
#ifndef IVB_SCHED_LIST_H
#define IVB_SCHED_LIST_H

#include "sched/ring.h"

#define LIST_MAX 65536
#define LIST_STEP 4 /* servers for each call of bpf_loop's, which takes as long as one of them */

/* The best server so far. */
struct pick {
	__u32 first; /* index into ring of the first pair */
	__u32 length;
	__u32 slot; /* IVB_NONE: there is none yet */
	__u32 weight;
	__u32 load; /* as the scheduler counts it */
};

/* A server that is looked at now. */
struct candidate {
	__u32 slot;
	__u32 weight;
	__u32 active;
	__u32 all; /* active and inactive */
	__u32 overloaded;
	__u64 in_set; /* lblcr's */
};

/* The counts are moved by atomics without a lock, so for a moment one may be less than zero. */
static __always_inline __u32 count_of(__u32 n)
{
	return (__s32)n > 0 ? n : 0;
}

/*
 * The nth server of the list that begins at that word; false: there is none. key: on the stack, a
 * single one for several calls: clang 14 gives each inlined call places of its own.
 */
static __always_inline bool candidate_read(__u32 first, __u32 n, __u32 *key, struct candidate *ret)
{
	struct ivb_dest_conns *c;
	__u32 *w;

	*key = first + 2 * n + 1;
	w = bpf_map_lookup_elem(&ivb_ring, key);
	ret->weight = w ? *w : 0;
	*key = first + 2 * n;
	w = bpf_map_lookup_elem(&ivb_ring, key);
	ret->slot = w ? *w : IVB_NONE;
	*key = ret->slot;
	c = bpf_map_lookup_elem(&ivb_dest_conns, key);
	if (!c)
		return false;
	ret->active = count_of(READ_ONCE(c->active));
	ret->all = ret->active + count_of(READ_ONCE(c->inactive));
	ret->overloaded = READ_ONCE(c->overloaded);
	ret->in_set = READ_ONCE(c->in_set);
	return true;
}

/* Reads a server that may have connections. False: it takes none. */
static __always_inline bool candidate_get(const struct pick *p, __u32 i, __u32 *key,
					  struct candidate *ret)
{
	return candidate_read(p->first, i, key, ret) && !ret->overloaded;
}

/* ip_vs_dest_conn_overhead(): an active connection weighs as much as 257 inactive ones. */
static __always_inline __u32 conn_overhead(const struct candidate *c)
{
	return c->active * 256 + c->all;
}

static __always_inline void pick_take(struct pick *p, const struct candidate *c, __u32 load)
{
	p->slot = c->slot;
	p->weight = c->weight;
	p->load = load;
}

/*
 * Whether the load is less for the candidate's weight than that of the best so far; the first one's
 * always is (see list_schedule()).
 */
static __always_inline bool pick_beaten(const struct pick *p, const struct candidate *c, __u32 load)
{
	return (__u64)p->load * c->weight > (__u64)load * p->weight;
}

/* The scheduler's table of pairs; NULL: it is another's, as the service is being changed. */
static __always_inline struct ivb_sched *list_get(__u32 sched)
{
	struct ivb_sched *s = bpf_map_lookup_elem(&ivb_scheds, &sched);

	return s && !s->num_segments && s->length <= LIST_MAX ? s : NULL;
}

/* Shows the next servers to look(), which returns true to end the walk. */
static __always_inline long list_visit(__u32 step, struct pick *p, bool overloaded_too,
				       bool (*look)(struct pick *p, const struct candidate *c))
{
	struct pick best = *p; /* in registers */
	struct candidate c;
	__u32 i, at, key;
	long end = 0;

#pragma unroll
	for (i = 0; i < LIST_STEP; i++) {
		at = step * LIST_STEP + i;
		if (at >= p->length)
			break;
		if (candidate_read(p->first, at, &key, &c) && (overloaded_too || !c.overloaded))
			end = look(&best, &c);
		if (end)
			break;
	}
	p->slot = best.slot;
	p->weight = best.weight;
	p->load = best.load;
	return end;
}

/* The slot of the best of all servers that visit() goes through, by list_visit(), or IVB_NONE. */
static __always_inline __u32 list_schedule(__u32 sched, long (*visit)(__u32 step, struct pick *p))
{
	struct ivb_sched *s = list_get(sched);
	struct pick p = { .slot = IVB_NONE, .load = 1 };

	if (!s)
		return IVB_NONE;
	p.first = s->first;
	p.length = s->length;
	bpf_loop((p.length + LIST_STEP - 1) / LIST_STEP, visit, &p, 0);
	return p.slot;
}

#endif
