/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Never queue (net/netfilter/ipvs/ip_vs_nq.c): the first server that is idle, else as sed.
 */
#ifndef IVB_SCHED_NQ_H
#define IVB_SCHED_NQ_H

#include "sched/list.h"

static long nq_visit(__u32 i, struct pick *p)
{
	struct candidate c;

	if (!candidate_get(p, i, &c))
		return 0;
	if (!c.active || pick_beaten(p, &c, c.active + 1))
		pick_take(p, &c, c.active + 1);
	if (!c.active)
		return 1;
	return 0;
}

GLOBAL __u32 nq_schedule(__u32 sched)
{
	return list_schedule(sched, nq_visit);
}

#endif
