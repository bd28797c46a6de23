/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shortest expected delay (net/netfilter/ipvs/ip_vs_sed.c): active connections with the one that
 * comes, shared by the weight.
 */
#ifndef IVB_SCHED_SED_H
#define IVB_SCHED_SED_H

#include "sched/list.h"

static __always_inline bool sed_look(struct pick *p, const struct candidate *c)
{
	if (pick_beaten(p, c, c->active + 1))
		pick_take(p, c, c->active + 1);
	return false;
}

static long sed_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, false, sed_look);
}

GLOBAL __u32 sed_schedule(__u32 sched)
{
	return list_schedule(sched, sed_visit);
}

#endif
