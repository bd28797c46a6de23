/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source hashing (net/netfilter/ipvs/ip_vs_sh.c). With the fallback, a client whose server takes no
 * connections goes to another place of the table; which one depends on the client alone.
 */
#ifndef IVB_SCHED_SH_H
#define IVB_SCHED_SH_H

#include "sched/hash.h"

#define SH_SIZE 256

static long sh_step(__u32 i, struct hash_walk *w)
{
	w->slot = table_dest(w->first, (w->from + i + hash_8_bits(w->value)) & (SH_SIZE - 1));
	return w->slot != IVB_NONE;
}

/* value: the client's folded address, plus its port where that counts. */
GLOBAL __u32 sh_schedule(__u32 sched, __u32 value, bool fallback)
{
	struct hash_walk w = { .first = table_first(sched, SH_SIZE), .value = value };

	if (w.first == IVB_NONE)
		return IVB_NONE;
	w.slot = table_dest(w.first, hash_8_bits(value));
	w.from = hash_8_bits(value);
	if (w.slot == IVB_NONE && fallback)
		bpf_loop(SH_SIZE, sh_step, &w, 0);
	return w.slot;
}

#endif
