/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hooks on kernel IPVS (ipvs.bpf.c) tell the egress program of a packet that is on its way
 * there. Both run in one call chain and know the packet by its sk_buff's address. A note that no
 * packet came for is put aside when the next one is written: the packet may be waiting for its
 * neighbour.
 */
#ifndef IVB_PATH_NOTE_H
#define IVB_PATH_NOTE_H

#include "path/note_types.h"

/* skb->priority of replies that ingress hands to kernel IPVS: "IVBS" */
#define IVB_PRIORITY_SLOW 0x49564253

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct notes);
	__uint(max_entries, 1);
} notes SEC(".maps");

/* Put aside, by sk_buff. */
IVB_HASH(waiting, BPF_MAP_TYPE_LRU_HASH, __u64, struct note, 4096, 0);

static __always_inline struct notes *notes_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&notes, &zero);
}

#endif
