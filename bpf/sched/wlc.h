/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighted least connections (net/netfilter/ipvs/ip_vs_wlc.c): the load of lc, shared by the
 * weight.
 */
#ifndef IVB_SCHED_WLC_H
#define IVB_SCHED_WLC_H

#include "sched/list.h"

static long wlc_visit(__u32 i, struct pick *p)
{
	struct candidate c;
	__u32 load;

	if (!candidate_get(p, i, &c))
		return 0;
	load = conn_overhead(&c);
	if (pick_beaten(p, &c, load))
		pick_take(p, &c, load);
	return 0;
}

GLOBAL __u32 wlc_schedule(__u32 sched)
{
	return list_schedule(sched, wlc_visit);
}

#endif
