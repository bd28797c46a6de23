/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power of two choices (net/netfilter/ipvs/ip_vs_twos.c): two servers are drawn, each with a
 * chance by its weight, and the one with the lesser overhead for its weight is taken.
 */
#ifndef IVB_SCHED_TWOS_H
#define IVB_SCHED_TWOS_H

#include "sched/list.h"

/* Two lots, drawn in one walk. */
struct draw {
	__u32 first; /* index into ring of the first pair */
	__u64 total; /* of the weights */
	__s64 lot[2];
	struct pick pick[2];
};

static long weigh_visit(__u32 i, struct draw *d)
{
	struct candidate c;
	__u32 key;

	if (candidate_read(d->first, i, &key, &c) && !c.overloaded)
		d->total += c.weight;
	return 0;
}

static __always_inline void lot_visit(struct draw *d, const int n, const struct candidate *c)
{
	d->lot[n] -= c->weight;
	if (d->lot[n] <= 0 && d->pick[n].slot == IVB_NONE)
		pick_take(&d->pick[n], c, conn_overhead(c));
}

static long draw_visit(__u32 i, struct draw *d)
{
	struct candidate c;
	__u32 key;

	if (!candidate_read(d->first, i, &key, &c) || c.overloaded)
		return 0;
	lot_visit(d, 0, &c);
	lot_visit(d, 1, &c);
	return d->pick[0].slot != IVB_NONE && d->pick[1].slot != IVB_NONE;
}

/* Draws from 0 to the total, both included, as the kernel does: the first server has one more. */
static __always_inline __s64 lot_draw(__u64 total)
{
	return (__u64)bpf_get_prandom_u32() * (total + 1) >> 32;
}

GLOBAL __u32 twos_schedule(__u32 sched)
{
	struct ivb_sched *s = list_get(sched);
	struct draw d = { .pick = { { .slot = IVB_NONE }, { .slot = IVB_NONE } } };
	const struct pick *one = &d.pick[0], *two = &d.pick[1];

	if (!s)
		return IVB_NONE;
	d.first = s->first;
	bpf_loop(s->length, weigh_visit, &d, 0);
	if (!d.total)
		return IVB_NONE;
	d.lot[0] = lot_draw(d.total);
	d.lot[1] = lot_draw(d.total);
	bpf_loop(s->length, draw_visit, &d, 0);
	if (two->slot != IVB_NONE &&
	    (__u64)two->weight * one->load > (__u64)one->weight * two->load)
		return two->slot;
	return one->slot;
}

#endif
