/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Least connections (net/netfilter/ipvs/ip_vs_lc.c): the server with the least overhead. Of equals
 * the first.
 */
#ifndef IVB_SCHED_LC_H
#define IVB_SCHED_LC_H

#include "sched/list.h"

static __always_inline bool lc_look(struct pick *p, const struct candidate *c)
{
	__u32 load = conn_overhead(c);

	if (p->slot == IVB_NONE || load < p->load)
		pick_take(p, c, load);
	return false;
}

static long lc_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, false, lc_look);
}

GLOBAL __u32 lc_schedule(__u32 sched)
{
	return list_schedule(sched, lc_visit);
}

#endif
