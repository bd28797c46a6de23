/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rr and wrr (net/netfilter/ipvs/ip_vs_rr.c, ip_vs_wrr.c): user space has laid out the period of
 * the sequence (struct ivb_sched); a new connection takes the next position of it.
 */
#ifndef IVB_SCHED_RING_H
#define IVB_SCHED_RING_H

#include "path/exit.h"
#include "path/tuple.h"

#define SEGMENT_WORDS 3
#define SEGMENT_STEPS 11 /* a search among up to 1024 segments, and one step to end it */

static __always_inline __u32 ring_word(__u32 index)
{
	__u32 *w = bpf_map_lookup_elem(&ring, &index);

	return w ? *w : IVB_NONE;
}

/* The last segment that starts at or before pos. */
static __always_inline __u32 segment_find(const struct ivb_sched *s, __u32 pos)
{
	__u32 low = 0, high = s->num_segments, first = s->first, i;

	/* Without branches: each would double the verifier's paths. */
	for (i = 0; i < SEGMENT_STEPS && low + 1 < high; i++) {
		__u32 mid = (low + high) / 2, start = ring_word(first + mid * SEGMENT_WORDS);
		__u64 before = ((__u64)start - pos - 1) >> 63; /* start <= pos */

		asm volatile("" : "+r"(before));
		low += (mid - low) * before;
		high -= (high - mid) * (1 - before);
	}
	return first + low * SEGMENT_WORDS;
}

/* Slot of the dest for the next connection, or IVB_NONE. */
GLOBAL __u32 ring_schedule(__u32 sched)
{
	struct ivb_sched *s = bpf_map_lookup_elem(&scheds, &sched);
	__u32 pos, segment, count;
	__u64 length;

	if (!s)
		return IVB_NONE;
	length = s->length;
	if (!length)
		return IVB_NONE;
	pos = __sync_fetch_and_add(&s->position, 1) % length;
	segment = segment_find(s, pos);
	count = ring_word(segment + 2);
	if (!count || count == IVB_NONE)
		return IVB_NONE;
	return ring_word(ring_word(segment + 1) + (pos - ring_word(segment)) % count);
}

#endif
