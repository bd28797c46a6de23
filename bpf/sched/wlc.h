/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighted least connections (net/netfilter/ipvs/ip_vs_wlc.c): the load of lc, shared by the
 * weight.
 */
#ifndef IVB_SCHED_WLC_H
#define IVB_SCHED_WLC_H

#include "sched/list.h"

static __always_inline bool wlc_look(struct pick *p, const struct candidate *c)
{
	__u32 load = conn_overhead(c);

	if (pick_beaten(p, c, load))
		pick_take(p, c, load);
	return false;
}

static long wlc_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, false, wlc_look);
}

GLOBAL __u32 wlc_schedule(__u32 sched)
{
	return list_schedule(sched, wlc_visit);
}

#endif
