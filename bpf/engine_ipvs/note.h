/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hooks on kernel IPVS (ipvs.bpf.c) tell the egress program of a packet that is on its way
 * there. Both run in one call chain and know the packet by its sk_buff's address. A note that no
 * packet came for is put aside when the next one is written: the packet may be waiting for its
 * neighbour.
 */
#ifndef IVB_ENGINE_IPVS_NOTE_H
#define IVB_ENGINE_IPVS_NOTE_H

#include "lib/verdict.h"
#include "engine_ipvs/note_types.h"
#include "lib/tuple.h"

/* skb->priority of replies that ingress hands to kernel IPVS: "IVBS" */
#define IVB_PRIORITY_SLOW 0x49564253

#define NOTE_CPUS 8192 /* looked through, at most: CONFIG_NR_CPUS of the distributions */

static __always_inline struct notes *notes_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ivb_notes, &zero);
}

/*
 * Puts aside the note of that packet that lies with another processor. One that is just being
 * overwritten there has been put aside before, and that one stays.
 */
static long notes_of(__u32 cpu, __u64 *skb)
{
	__u32 zero = 0, side;
	struct notes *all = bpf_map_lookup_percpu_elem(&ivb_notes, &zero, cpu);

	if (!all)
		return 1; /* there are no more */
	if (cpu == bpf_get_smp_processor_id())
		return 0;
	for (side = 0; side < 2; side++) {
		if (READ_ONCE(all->from[side].skb) != *skb || all->from[side].flags & NOTE_DONE)
			continue;
		bpf_map_update_elem(&ivb_waiting, skb, &all->from[side], BPF_NOEXIST);
		return 1;
	}
	return 0;
}

/*
 * Finds the note of a packet that has waited for its neighbour and is sent by another processor. The
 * one that it came by has written no note since, so the note is still there.
 */
GLOBAL int note_from_elsewhere(const __u64 *skb)
{
	__u64 key = skb ? *skb : 0;

	/* of an earlier life of the sk_buff */
	bpf_map_delete_elem(&ivb_waiting, &key);
	bpf_loop(NOTE_CPUS, notes_of, &key, 0);
	return 0;
}

#endif
