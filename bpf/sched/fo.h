/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failover (net/netfilter/ipvs/ip_vs_fo.c): the heaviest server takes all.
 */
#ifndef IVB_SCHED_FO_H
#define IVB_SCHED_FO_H

#include "sched/list.h"

static __always_inline bool fo_look(struct pick *p, const struct candidate *c)
{
	if (c->weight > p->weight)
		pick_take(p, c, 0);
	return false;
}

static long fo_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, false, fo_look);
}

GLOBAL __u32 fo_schedule(__u32 sched)
{
	return list_schedule(sched, fo_visit);
}

#endif
