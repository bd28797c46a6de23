/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expiry without any process: one timer a family sweeps the clock's stamps a chunk at a time, so
 * that a whole turn takes a second, and removes what is due, for at most REAP_NS a tick.
 */
#ifndef IVB_PATH_EXPIRE_H
#define IVB_PATH_EXPIRE_H

#include <asm-generic/errno-base.h>

#include "path/conn.h"

#define CLOCK_MONOTONIC 1
#define TICK_NS 15625000ull    /* 1 s / IVB_CLOCK_PARTS: a tick for each part */
#define CATCH_UP_NS 1000000ull /* after a tick that ran out of budget */
#define REAP_NS 300000ull      /* of a tick; 250 to 450 connections */

struct sweep {
	__u32 now;
	__u32 group; /* first of this chunk */
	__u64 began; /* ns */
	__u32 done;  /* groups gone through */
	__u32 used;  /* groups with connections */
	__u64 expired;
	__u64 stale;
};

/*
 * One bit for each stamp of the group that has passed, and GROUP_USED if there is any. The
 * intermediate values are hidden from clang, which would otherwise make branches of them: 2^16
 * paths for the verifier (clang 14, all kernels, "BPF program is too large").
 */
#define GROUP_USED (1u << IVB_CLOCK_GROUP)

static __always_inline __u32 group_due(const struct ivb_clock_group *g, __u32 now)
{
	__u32 mask = 0, any = 0;
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < IVB_CLOCK_GROUP; i++) {
		__u64 stamp = g->expires[i], used = stamp - 2, due;

		any |= stamp;
		asm volatile("" : "+r"(used));
		used = ~used >> 63; /* neither FREE nor BUSY */
		due = (__u32)(now - (__u32)stamp);
		asm volatile("" : "+r"(due));
		due = (~due >> 31) & 1;
		mask |= (used & due) << i;
	}
	return any ? mask | GROUP_USED : 0;
}

static __always_inline void reap(const int af, __u32 id, struct sweep *s)
{
	__u32 *stamp = clock_stamp(af, id), seen;

	if (!stamp)
		return;
	seen = READ_ONCE(*stamp);
	if (seen <= IVB_CLOCK_BUSY || (__s32)(s->now - seen) < 0)
		return;
	if (__sync_val_compare_and_swap(stamp, seen, IVB_CLOCK_BUSY) != seen)
		return;
	if (BY_AF(af, conn_remove, id))
		s->expired++;
	else
		s->stale++;
}

/*
 * Apart from the sweep: its loop's paths are too many for 6.1 where a stack's contents are tracked.
 */
static __always_inline int reap_group(const int af, __u32 group, __u32 due, struct sweep *s)
{
	int j;

	for (j = 0; j < IVB_CLOCK_GROUP; j++) {
		if (!(due >> j & 1))
			continue;
		reap(af, group * IVB_CLOCK_GROUP + j, s);
	}
	return 0;
}

GLOBAL int reap_group4(__u32 group, __u32 due, struct sweep *s)
{
	return s ? reap_group(AF_INET, group, due, s) : 0;
}

GLOBAL int reap_group6(__u32 group, __u32 due, struct sweep *s)
{
	return s ? reap_group(AF_INET6, group, due, s) : 0;
}

static __always_inline long sweep_group(const int af, __u32 i, struct sweep *s)
{
	__u32 group = (s->group + i) & (CONN_MASK(af) / IVB_CLOCK_GROUP), due;
	struct ivb_clock_group *g = bpf_map_lookup_elem(MAP_OF(af, clock), &group);

	if (!g)
		return 1;
	s->done = i + 1;
	due = group_due(g, s->now);
	s->used += !!due;
	due &= GROUP_USED - 1;
	if (!due)
		return 0;
	BY_AF(af, reap_group, group, due, s);
	return bpf_ktime_get_ns() - s->began >= REAP_NS;
}

static long sweep_group4(__u32 i, void *s)
{
	return sweep_group(AF_INET, i, s);
}

static long sweep_group6(__u32 i, void *s)
{
	return sweep_group(AF_INET6, i, s);
}

/*
 * Goes through a part of the clock, or, if that is not the whole, what the last tick has left of
 * it.
 */
static __always_inline void sweep_part(const int af, __u32 chunk, bool whole, struct sweep *s)
{
	__u32 *busy = clock_part(af, s->group);

	if (!busy)
		return;
	if (!READ_ONCE(*busy)) {
		s->done = chunk;
		return;
	}
	WRITE_ONCE(*busy, 0);
	if (af == AF_INET)
		bpf_loop(chunk, sweep_group4, s, 0);
	else
		bpf_loop(chunk, sweep_group6, s, 0);
	if (s->used || s->done < chunk || !whole)
		WRITE_ONCE(*busy, 1);
}

/* One tick; returns the nanoseconds until the next. */
static __always_inline __u64 sweep_tick(const int af, struct hand *hand)
{
	__u32 family = FAMILY_INDEX(af), groups = CONN_MASK(af) / IVB_CLOCK_GROUP + 1;
	__u32 part = groups < IVB_CLOCK_PARTS ? 1 : groups / IVB_CLOCK_PARTS;
	struct sweep s = { .now = bpf_jiffies64(),
			   .group = hand->next,
			   .began = bpf_ktime_get_ns() };
	__u32 chunk = part - (s.group & (part - 1));
	struct ivb_sweep *stats;

	sweep_part(af, chunk, chunk == part, &s);
	hand->next = (s.group + s.done) & (groups - 1);
	stats = bpf_map_lookup_elem(&sweeps, &family);
	if (stats) {
		WRITE_ONCE(stats->last, s.now);
		stats->ticks++;
		stats->expired += s.expired;
		stats->stale += s.stale;
		s.began = bpf_ktime_get_ns() - s.began;
		stats->ns += s.began;
		if (s.began > stats->longest)
			stats->longest = s.began;
	}
	return s.done < chunk ? CATCH_UP_NS : TICK_NS;
}

static int tick4(void *map, __u32 *key, struct hand *hand)
{
	bpf_timer_start(&hand->timer, sweep_tick(AF_INET, hand), 0);
	return 0;
}

static int tick6(void *map, __u32 *key, struct hand *hand)
{
	bpf_timer_start(&hand->timer, sweep_tick(AF_INET6, hand), 0);
	return 0;
}

/* -EBUSY of bpf_timer_init(): the map has its timer from an earlier load. */
static __always_inline long arm(const int af)
{
	__u32 zero = 0;
	struct hand *hand = bpf_map_lookup_elem(MAP_OF(af, hand), &zero);
	int r;

	if (!hand)
		return -ENOENT;
	r = af == AF_INET ? bpf_timer_init(&hand->timer, &hand4, CLOCK_MONOTONIC)
			  : bpf_timer_init(&hand->timer, &hand6, CLOCK_MONOTONIC);
	if (r && r != -EBUSY)
		return r;
	r = af == AF_INET ? bpf_timer_set_callback(&hand->timer, tick4)
			  : bpf_timer_set_callback(&hand->timer, tick6);
	return r ? r : bpf_timer_start(&hand->timer, TICK_NS, 0);
}

#endif
