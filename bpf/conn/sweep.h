/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sweep of the clock: from its rows down to where something is due, and what has ended there is
 * removed. By the timer (conn/expire.h), or by packets where no timer can be had.
 */
#ifndef IVB_CONN_SWEEP_H
#define IVB_CONN_SWEEP_H

#include "conn/conn.h"

#define NEVER 0x7fffffff /* jiffies from now */
#define TIMER_DEAD_S 2
#define PACKET_ROWS 8 /* that a packet looks at, at most */
#define LOOKS 16      /* at groups with nothing to remove, between two looks at the time */

/*
 * A mask with a bit for each stamp of the line that has passed. It has no branches, as most have
 * not. It is a global function for the stack's sake: a packet that sweeps has used much of it (6.1).
 */
GLOBAL __u32 line_due(const struct ivb_clock_group *g, __u32 now)
{
	__u32 mask = 0;
	__u64 used, due;
	int i;

	if (!g)
		return 0;

#pragma clang loop unroll(full)
	for (i = 0; i < IVB_CLOCK_GROUP; i++) {
		used = READ_ONCE(g->expires[i]);
		due = (__u32)(now - (__u32)used);
		used -= 2;
		/*
		 * Hidden from clang, which would make branches of them: 2^16 paths for the verifier
		 * (clang 14, all kernels). One after the other, or it would keep all of them on the
		 * stack.
		 */
		asm volatile("" : "+r"(used)::"memory");
		asm volatile("" : "+r"(due));
		mask |= (~used >> 63 & (~due >> 31 & 1)) << i;
	}
	return mask;
}

/* The lesser of two, none above NEVER, without a branch that could not be foretold. */
static __always_inline __s32 earlier(__s32 a, __s32 b)
{
	__s64 d = (__s64)b - a;

	asm volatile("" : "+r"(d));
	return a + (__s32)(d & d >> 63);
}

/* Removes the connection of a stamp that has passed, unless somebody else has changed that. */
static __always_inline bool reap(const int af, __u32 id, __u32 *stamp, __u32 seen, struct sweep *s)
{
	if (__sync_val_compare_and_swap(stamp, seen, IVB_CLOCK_BUSY) != seen)
		return false;
	if (BY_AF(af, conn_remove, id))
		s->expired++;
	else
		s->stale++;
	return true;
}

/*
 * Removes what has ended of a group, and says when the next one of it does: jiffies from now, or
 * NEVER. What another CPU has in its hands is looked at again in a second.
 */
static __always_inline __u32 sweep_group(const int af, __u32 group, struct sweep *s)
{
	__u32 *own = group_stamp(af, group), seen, j, next = NEVER;
	struct ivb_clock_group *g = bpf_map_lookup_elem(MAP_OF(af, clock), &group);
	__s32 left;

	if (!g || !own)
		return NEVER;
	__sync_lock_test_and_set(own, IVB_CLOCK_FREE); /* see clock_due() */
	for (j = 0; j < IVB_CLOCK_GROUP; j++) {
		seen = READ_ONCE(g->expires[j]);
		if (seen == IVB_CLOCK_FREE)
			continue;
		left = seen == IVB_CLOCK_BUSY ? ivb_hz : seen - s->now;
		if (left <= 0) {
			if (reap(af, group * IVB_CLOCK_GROUP + j, &g->expires[j], seen, s))
				continue;
			left = ivb_hz;
		}
		next = earlier(next, left);
	}
	if (next == NEVER)
		return NEVER;
	next += clock_slack(next);
	seen = stamp_lower(own, stamp_at(s->now + next));
	return seen ? seen - s->now : next;
}

GLOBAL __u32 sweep_group4(__u32 group, struct sweep *s)
{
	return s ? sweep_group(AF_INET, group, s) : NEVER;
}

GLOBAL __u32 sweep_group6(__u32 group, struct sweep *s)
{
	return s ? sweep_group(AF_INET6, group, s) : NEVER;
}

/* Sweeps the groups of a line that are due, as long as there is time. */
static __always_inline int sweep_line(const int af, __u32 line, struct sweep *s)
{
	struct ivb_clock_group *g = bpf_map_lookup_elem(MAP_OF(af, due), &line);
	__u32 *own = line_stamp(af, line), seen, j, next = NEVER;
	__u64 reaped = s->expired + s->stale;
	__s32 left;

	if (!g || !own)
		return 0;
	__sync_lock_test_and_set(own, IVB_CLOCK_FREE);
	for (j = 0; j < IVB_CLOCK_GROUP; j++) {
		seen = READ_ONCE(g->expires[j]);
		if (seen == IVB_CLOCK_FREE)
			continue;
		left = seen - s->now;
		if (left <= 0 && !s->over) {
			left = BY_AF(af, sweep_group, line * IVB_CLOCK_GROUP + j, s);
			if (s->expired + s->stale != reaped || !(++s->looks % LOOKS))
				s->over = bpf_ktime_get_ns() - s->began >= s->budget;
		}
		next = earlier(next, left);
	}
	if (next != NEVER)
		stamp_lower(own, stamp_at(s->now + next));
	return 0;
}

GLOBAL int sweep_line4(__u32 line, struct sweep *s)
{
	return s ? sweep_line(AF_INET, line, s) : 0;
}

GLOBAL int sweep_line6(__u32 line, struct sweep *s)
{
	return s ? sweep_line(AF_INET6, line, s) : 0;
}

/* Sweeps the lines of a row that are due. */
static __always_inline int sweep_lines(const int af, __u32 row, __u32 due, struct sweep *s)
{
	__u32 j;

	for (j = 0; j < IVB_CLOCK_GROUP; j++) {
		if (due >> j & 1 && !s->over)
			BY_AF(af, sweep_line, row * IVB_CLOCK_GROUP + j, s);
	}
	return 0;
}

GLOBAL int sweep_lines4(__u32 row, __u32 due, struct sweep *s)
{
	return s ? sweep_lines(AF_INET, row, due, s) : 0;
}

GLOBAL int sweep_lines6(__u32 row, __u32 due, struct sweep *s)
{
	return s ? sweep_lines(AF_INET6, row, due, s) : 0;
}

static __always_inline struct hand *hand_of(const int af)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(MAP_OF(af, hand), &zero);
}

/* Sweeps the next row. 1: the time is over, and the row is not done. */
static __always_inline long sweep_row(const int af)
{
	struct hand *hand = hand_of(af);
	struct ivb_clock_group *g;
	__u32 row, due;

	if (!hand)
		return 1;
	row = hand->next & (CLOCK_ROWS(af) - 1);
	g = clock_row(af, row);
	if (!g)
		return 1;
	due = line_due(g, hand->sweep.now);
	if (due)
		BY_AF(af, sweep_lines, row, due, &hand->sweep);
	if (hand->sweep.over)
		return 1;
	hand->next = row + 1;
	return 0;
}

static __always_inline bool sweep_begin(struct sweep *s, __u64 budget)
{
	if (READ_ONCE(s->busy) || __sync_lock_test_and_set(&s->busy, 1))
		return false;
	s->now = bpf_jiffies64();
	s->over = 0;
	s->began = bpf_ktime_get_ns();
	s->budget = budget;
	s->expired = s->stale = 0;
	return true;
}

static __always_inline void sweep_end(struct sweep *s, struct ivb_sweep *stats)
{
	stats->expired += s->expired;
	stats->stale += s->stale;
	__sync_lock_test_and_set(&s->busy, 0);
}

/*
 * Sweeps where there is no timer. A packet whose connection is new, or has not been heard of for a
 * second, looks at some rows, once a jiffy, and removes what has ended of one group. If there was
 * some, so does the next packet: more connections go than come.
 */
static __always_inline int sweep_by_packet(const int af)
{
	__u32 family = FAMILY_INDEX(af), now = bpf_jiffies64(), i;
	struct ivb_sweep *stats = bpf_map_lookup_elem(&ivb_sweeps, &family);
	struct hand *hand;

	if (!stats || now - READ_ONCE(stats->last) <= TIMER_DEAD_S * ivb_hz)
		return 0;
	hand = hand_of(af);
	if (!hand || (READ_ONCE(stats->by_packets) == now && !READ_ONCE(hand->sweep.over)) ||
	    !sweep_begin(&hand->sweep, 0))
		return 0;
	for (i = 0; i < PACKET_ROWS && i < CLOCK_ROWS(af); i++) {
		if (sweep_row(af))
			break;
	}
	WRITE_ONCE(stats->by_packets, now);
	sweep_end(&hand->sweep, stats);
	return 0;
}

GLOBAL int sweep_by_packet4(void)
{
	return sweep_by_packet(AF_INET);
}

GLOBAL int sweep_by_packet6(void)
{
	return sweep_by_packet(AF_INET6);
}

#endif
