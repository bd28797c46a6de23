/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locality-based least connections (net/netfilter/ipvs/ip_vs_lblc.c): an address that is asked for
 * stays with its server as long as that has no more active connections than its weight, or none has
 * less than half of its own. A service is one address, so it has one server at a time; a new one is
 * chosen as by wlc. ivb_sched.position is that server's slot, plus 1.
 */
#ifndef IVB_SCHED_LBLC_H
#define IVB_SCHED_LBLC_H

#include "sched/wlc.h"

/* The first server that has less than half of what it could. */
static __always_inline bool idle_look(struct pick *p, const struct candidate *c)
{
	if ((__u64)c->active * 2 >= c->weight)
		return false;
	pick_take(p, c, 0);
	return true;
}

static long idle_visit(__u32 step, struct pick *p)
{
	return list_visit(step, p, true, idle_look);
}

GLOBAL __u32 idle_find(__u32 sched)
{
	return list_schedule(sched, idle_visit);
}

/* Whether the server may have more of the address's connections (the kernel's is_overloaded()). */
static __always_inline bool server_stays(__u32 sched, __u32 service, __u32 slot)
{
	struct ivb_dest_conns *c = bpf_map_lookup_elem(&ivb_dest_conns, &slot);
	const struct ivb_dest *d = bpf_map_lookup_elem(&ivb_dests, &slot);

	if (!c || !d || d->service != service || d->state != IVB_DEST_AVAILABLE || !d->weight)
		return false;
	return count_of(READ_ONCE(c->active)) <= d->weight || idle_find(sched) == IVB_NONE;
}

GLOBAL __u32 lblc_schedule(__u32 sched, __u32 service)
{
	struct ivb_sched *s = list_get(sched);
	__u32 slot;

	if (!s)
		return IVB_NONE;
	slot = (__u32)READ_ONCE(s->position) - 1;
	if (slot != IVB_NONE && server_stays(sched, service, slot))
		return slot;
	slot = wlc_schedule(sched);
	if (slot != IVB_NONE)
		WRITE_ONCE(s->position, (__u64)slot + 1);
	return slot;
}

#endif
