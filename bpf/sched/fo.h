/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failover (net/netfilter/ipvs/ip_vs_fo.c): the heaviest server takes all.
 */
#ifndef IVB_SCHED_FO_H
#define IVB_SCHED_FO_H

#include "sched/list.h"

static long fo_visit(__u32 i, struct pick *p)
{
	struct candidate c;

	if (!candidate_get(p, i, &c))
		return 0;
	if (c.weight > p->weight)
		pick_take(p, &c, 0);
	return 0;
}

GLOBAL __u32 fo_schedule(__u32 sched)
{
	return list_schedule(sched, fo_visit);
}

#endif
