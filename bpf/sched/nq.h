/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Never queue (net/netfilter/ipvs/ip_vs_nq.c): the first server that is idle, else as sed.
 */
#ifndef IVB_SCHED_NQ_H
#define IVB_SCHED_NQ_H

#include "sched/list.h"

static __always_inline bool nq_look(struct pick *p, const struct candidate *c)
{
	if (!c->active || pick_beaten(p, c, c->active + 1))
		pick_take(p, c, c->active + 1);
	return !c->active;
}

static long nq_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, false, nq_look);
}

GLOBAL __u32 nq_schedule(__u32 sched)
{
	return list_schedule(sched, nq_visit);
}

#endif
