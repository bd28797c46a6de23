/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Overflow (net/netfilter/ipvs/ip_vs_ovf.c): of the servers whose active connections do not exceed
 * their weight, the heaviest.
 */
#ifndef IVB_SCHED_OVF_H
#define IVB_SCHED_OVF_H

#include "sched/list.h"

static __always_inline bool ovf_look(struct pick *p, const struct candidate *c)
{
	if (c->active <= c->weight && c->weight > p->weight)
		pick_take(p, c, 0);
	return false;
}

static long ovf_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, false, ovf_look);
}

GLOBAL __u32 ovf_schedule(__u32 sched)
{
	return list_schedule(sched, ovf_visit);
}

#endif
