/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the schedulers that hash share: user space has laid out a table of dest slots (struct
 * ivb_sched), and a server may take no connections though it is in the table.
 */
#ifndef IVB_SCHED_HASH_H
#define IVB_SCHED_HASH_H

#include "sched/ring.h"

#define GOLDEN_RATIO_32 0x61C88647u /* the kernel's hash_32() (include/linux/hash.h) */

static __always_inline __u32 hash_8_bits(__u32 value)
{
	return value * GOLDEN_RATIO_32 >> 24;
}

/* An address as these schedulers take it into their sums. */
static __always_inline __u32 addr_fold(const int af, const __be32 *a)
{
	return bpf_ntohl(af == AF_INET ? a[0] : a[0] ^ a[1] ^ a[2] ^ a[3]);
}

/* A search for a server through the table. */
struct hash_walk {
	__u32 first; /* index into ring */
	__u32 value; /* of the client */
	__u32 from;  /* offset that the walk starts with */
	__u32 size;
	__u32 slot;
};

/* Slot of the dest at that place, if it takes connections, or IVB_NONE. */
static __always_inline __u32 table_dest(__u32 first, __u32 index)
{
	__u32 slot = ring_word(first + index);
	struct ivb_dest *d = bpf_map_lookup_elem(&ivb_dests, &slot);

	return d && d->weight && !dest_overloaded(slot) ? slot : IVB_NONE;
}

/* The table's place in ring; its size must be the one that the scheduler's hash is made for. */
static __always_inline __u32 table_first(__u32 sched, __u32 size)
{
	struct ivb_sched *s = bpf_map_lookup_elem(&ivb_scheds, &sched);

	return s && !s->num_segments && s->length == size ? s->first : IVB_NONE;
}

#endif
