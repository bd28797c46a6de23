/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maglev hashing (net/netfilter/ipvs/ip_vs_mh.c): sh's ways with a table that changes little when
 * servers come and go, and the kernel's hsiphash() (SipHash-1-3 of 32 bits,
 * include/linux/siphash.h).
 */
#ifndef IVB_SCHED_MH_H
#define IVB_SCHED_MH_H

#include <ivb/siphash.h>

#include "sched/hash.h"

#define MH_SIZE 4093

static __always_inline __u32 mh_index(__u32 value)
{
	return ivb_hsiphash(value, IVB_MH_KEY1) % MH_SIZE;
}

static long mh_step(__u32 i, struct hash_walk *w)
{
	w->slot = table_dest(w->first, mh_index(w->value + (w->from + i) % MH_SIZE));
	return w->slot != IVB_NONE;
}

/* value: the client's folded address, plus its port where that counts. */
GLOBAL __u32 mh_schedule(__u32 sched, __u32 value, bool fallback)
{
	struct hash_walk w = { .first = table_first(sched, MH_SIZE), .value = value };

	if (w.first == IVB_NONE)
		return IVB_NONE;
	w.from = mh_index(value);
	w.slot = table_dest(w.first, w.from);
	if (w.slot == IVB_NONE && fallback)
		bpf_loop(MH_SIZE, mh_step, &w, 0);
	return w.slot;
}

#endif
