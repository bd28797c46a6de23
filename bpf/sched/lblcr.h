/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locality-based least connections with replication (net/netfilter/ipvs/ip_vs_lblcr.c): as lblc,
 * but the address has a set of servers, which grows when the least loaded of them has too much. A
 * server is in the set if its in_set is later than written_at, when the scheduler began;
 * position is when the set changed last. All by CLOCK_MONOTONIC, ns.
 */
#ifndef IVB_SCHED_LBLCR_H
#define IVB_SCHED_LBLCR_H

#include "sched/lblc.h"

#define LBLCR_EXPIRATION (24 * 3600 * 1000000000ull) /* sysctl lblcr_expiration's default */

/* A walk through the set. */
struct set_walk {
	struct pick pick;
	__u32 several; /* 1: the set has more than one */
	__u64 began;
	__u64 in_set; /* of the pick */
};

/*
 * Takes the candidate if its load for its weight is more than the pick's, times sign: 1 for the
 * most loaded one, -1 for the least. Of equals the one that came to the set last, which is the first
 * of the kernel's list.
 */
static __always_inline void set_compare(struct set_walk *w, const struct candidate *c, int sign)
{
	__u32 load = conn_overhead(c);
	__s64 more = ((__s64)load * w->pick.weight - (__s64)w->pick.load * c->weight) * sign;

	if (w->pick.slot != IVB_NONE && (more < 0 || (!more && c->in_set <= w->in_set)))
		return;
	pick_take(&w->pick, c, load);
	w->in_set = c->in_set;
}

static long least_visit(__u32 i, struct set_walk *w)
{
	struct candidate c;
	__u32 key;

	if (candidate_get(&w->pick, i, &key, &c) && c.in_set > w->began)
		set_compare(w, &c, -1);
	return 0;
}

static long most_visit(__u32 i, struct set_walk *w)
{
	struct candidate c;
	__u32 key;

	if (!candidate_read(w->pick.first, i, &key, &c) || c.in_set <= w->began)
		return 0;
	w->several = w->pick.slot != IVB_NONE;
	set_compare(w, &c, 1);
	return 0;
}

static __always_inline struct set_walk set_walk(struct ivb_sched *s,
						long (*visit)(__u32 i, struct set_walk *w))
{
	struct set_walk w = { .pick = { .slot = IVB_NONE, .first = s->first },
			      .began = s->written_at };

	bpf_loop(s->length, visit, &w, 0);
	return w;
}

/* Puts a server into the set; in_set 0 takes it out. */
static __always_inline void set_move(struct ivb_sched *s, __u32 slot, __u64 in_set, __u64 now)
{
	struct ivb_dest_conns *c = bpf_map_lookup_elem(&ivb_dest_conns, &slot);

	if (!c)
		return;
	WRITE_ONCE(c->in_set, in_set);
	WRITE_ONCE(s->position, now);
}

/* A set that has not changed for long loses the most loaded server, if that is not its last. */
GLOBAL int lblcr_shrink(__u32 sched, __u64 now)
{
	struct ivb_sched *s = list_get(sched);
	struct set_walk w;

	if (!s || now - READ_ONCE(s->position) <= LBLCR_EXPIRATION)
		return 0;
	w = set_walk(s, most_visit);
	if (w.several)
		set_move(s, w.pick.slot, 0, now);
	return 0;
}

/* Slot of the least loaded server of the set, or IVB_NONE. */
GLOBAL __u32 lblcr_least(__u32 sched)
{
	struct ivb_sched *s = list_get(sched);

	return s ? set_walk(s, least_visit).pick.slot : IVB_NONE;
}

GLOBAL __u32 lblcr_schedule(__u32 sched, __u32 service)
{
	struct ivb_sched *s = list_get(sched);
	__u64 now = bpf_ktime_get_ns();
	struct ivb_dest_conns *c;
	__u32 slot;

	if (!s)
		return IVB_NONE;
	slot = lblcr_least(sched);
	lblcr_shrink(sched, now);
	if (slot != IVB_NONE && server_stays(sched, service, slot))
		return slot;
	slot = wlc_schedule(sched);
	c = bpf_map_lookup_elem(&ivb_dest_conns, &slot);
	if (c && READ_ONCE(c->in_set) <= s->written_at)
		set_move(s, slot, now, now);
	return slot;
}

#endif
