/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rr and wrr (net/netfilter/ipvs/ip_vs_rr.c, ip_vs_wrr.c): user space has laid out the period of
 * the sequence (struct ivb_sched); a new connection takes the next position of it.
 */
#ifndef IVB_SCHED_RING_H
#define IVB_SCHED_RING_H

#include "lib/verdict.h"
#include "lib/tuple.h"

#define SEGMENT_WORDS 3
#define SEGMENT_STEPS 11   /* a search among up to 1024 segments, and one step to end it */
#define SEARCH_STEPS 65536 /* servers looked at for one that is not overloaded */

static __always_inline __u32 ring_word(__u32 index)
{
	__u32 *w = bpf_map_lookup_elem(&ivb_ring, &index);

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

static __always_inline bool dest_overloaded(__u32 slot)
{
	struct ivb_dest_conns *c = bpf_map_lookup_elem(&ivb_dest_conns, &slot);

	return c && READ_ONCE(c->overloaded);
}

/*
 * The search for a server that is not overloaded. All sets are nested, but in the order of the
 * list.
 */
struct ring_search {
	__u32 first; /* of the slice */
	__u32 num_segments;
	__u32 length;
	__u32 segment; /* number of the one that pos is in */
	__u32 set;     /* index into ring of its dest slots */
	__u32 count;
	__u32 pos;
	__u32 at;   /* of pos in the set */
	__u32 left; /* dest slots of it that are still to be looked at */
	__u32 segments_left;
	__u32 steps; /* that pos has been moved; a period at most */
	__u32 slot;
};

static __always_inline void search_segment(struct ring_search *s, __u32 segment)
{
	__u32 at = s->first + segment * SEGMENT_WORDS, start = ring_word(at);

	s->segment = segment;
	s->set = ring_word(at + 1);
	s->count = s->left = ring_word(at + 2);
	s->steps += start >= s->pos ? start - s->pos : s->length - s->pos + start;
	s->pos = start;
	s->at = 0;
}

static long search_step(__u32 i, struct ring_search *s)
{
	__u32 slot;

	if (!s->left) {
		if (!s->segments_left)
			return 1;
		s->segments_left--;
		search_segment(s, s->segment + 1 < s->num_segments ? s->segment + 1 : 0);
	}
	slot = ring_word(s->set + s->at);
	if (!dest_overloaded(slot)) {
		s->slot = slot;
		return 1;
	}
	s->at = s->at + 1 < s->count ? s->at + 1 : 0;
	s->pos++;
	s->steps++;
	s->left--;
	return 0;
}

/*
 * Finds the next server that is not overloaded, as the one at pos is. The position goes on behind
 * it. If there is none, the kernel stays where it was if that was in the
 * last pass (every server takes part in it), else starts afresh.
 */
static __always_inline __u32 ring_search(struct ivb_sched *s, __u32 pos, __u32 at)
{
	struct ring_search search = {
		.first = s->first,
		.num_segments = s->num_segments,
		.length = s->length,
		.segment = (at - s->first) / SEGMENT_WORDS,
		.set = ring_word(at + 1),
		.count = ring_word(at + 2),
		.pos = pos,
		.segments_left = s->num_segments,
		.slot = IVB_NONE,
	};
	__u32 end = search.segment + 1 < search.num_segments ? ring_word(at + SEGMENT_WORDS)
							     : search.length;
	__u32 last = ring_word(s->first + (s->num_segments - 1) * SEGMENT_WORDS + 2);

	search.at = (pos - ring_word(at)) % search.count;
	search.left = end - pos < search.count ? end - pos : search.count;
	bpf_loop(SEARCH_STEPS, search_step, &search, 0);
	if (search.slot != IVB_NONE) {
		__sync_fetch_and_add(&s->position, search.steps);
	} else if (!pos || pos > search.length - last) {
		__sync_fetch_and_add(&s->position, -1);
	} else {
		WRITE_ONCE(s->written_at, IVB_SCHED_AFRESH);
		WRITE_ONCE(s->position, 0);
	}
	return search.slot;
}

/* Slot of the dest for the next connection, or IVB_NONE. */
GLOBAL __u32 ring_schedule(__u32 sched)
{
	struct ivb_sched *s = bpf_map_lookup_elem(&ivb_scheds, &sched);
	__u32 pos, segment, count, slot;
	__u64 length;

	if (!s)
		return IVB_NONE;
	length = s->length;
	if (!length || !s->num_segments)
		return IVB_NONE;
	pos = __sync_fetch_and_add(&s->position, 1) % length;
	segment = segment_find(s, pos);
	count = ring_word(segment + 2);
	if (!count || count == IVB_NONE)
		return IVB_NONE;
	slot = ring_word(ring_word(segment + 1) + (pos - ring_word(segment)) % count);
	return dest_overloaded(slot) ? ring_search(s, pos, segment) : slot;
}

#endif
