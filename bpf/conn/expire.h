/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expiry without any process: one timer a family sweeps the clock a part at a time, so that a whole
 * turn takes a second at most. A tick removes for at most REAP_NS.
 */
#ifndef IVB_CONN_EXPIRE_H
#define IVB_CONN_EXPIRE_H

#include <asm-generic/errno-base.h>

#include "conn/sweep.h"

#define CLOCK_MONOTONIC 1
#define CLOCK_PARTS 16
#define TICK_NS 62500000ull    /* 1 s / CLOCK_PARTS: a tick for each part */
#define CATCH_UP_NS 1000000ull /* after a tick that ran out of budget */
#define REAP_NS 300000ull      /* of a tick; 250 to 450 connections */

static long sweep_row4(__u32 i, void *none)
{
	return sweep_row(AF_INET);
}

static long sweep_row6(__u32 i, void *none)
{
	return sweep_row(AF_INET6);
}

/* The number of rows for each tick: after a second at most all have been gone through. */
static __always_inline __u32 part_rows(const int af)
{
	return CLOCK_ROWS(af) < CLOCK_PARTS ? 1 : CLOCK_ROWS(af) / CLOCK_PARTS;
}

/* One tick; returns the nanoseconds until the next. */
static __always_inline __u64 sweep_tick(const int af, struct hand *hand)
{
	__u32 family = FAMILY_INDEX(af), rows = part_rows(af), over;
	struct ivb_sweep *stats = bpf_map_lookup_elem(&ivb_sweeps, &family);
	__u64 ns;

	if (!stats || !sweep_begin(&hand->sweep, REAP_NS))
		return TICK_NS;
	rows -= hand->next & (rows - 1);
	if (af == AF_INET)
		bpf_loop(rows, sweep_row4, NULL, 0);
	else
		bpf_loop(rows, sweep_row6, NULL, 0);
	over = hand->sweep.over;
	WRITE_ONCE(stats->last, hand->sweep.now);
	stats->ticks++;
	ns = bpf_ktime_get_ns() - hand->sweep.began;
	stats->ns += ns;
	if (ns > stats->longest)
		stats->longest = ns;
	sweep_end(&hand->sweep, stats);
	return over ? CATCH_UP_NS : TICK_NS;
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

/* Starts the family's timer. It may be there (-EBUSY): the map has it from an earlier load. */
static __always_inline long arm(const int af)
{
	__u32 family = FAMILY_INDEX(af);
	struct ivb_sweep *stats = bpf_map_lookup_elem(&ivb_sweeps, &family);
	struct hand *hand = hand_of(af);
	int r;

	if (!hand)
		return -ENOENT;
	r = af == AF_INET ? bpf_timer_init(&hand->timer, &ivb_hand4, CLOCK_MONOTONIC)
			  : bpf_timer_init(&hand->timer, &ivb_hand6, CLOCK_MONOTONIC);
	if (r && r != -EBUSY)
		return r;
	r = af == AF_INET ? bpf_timer_set_callback(&hand->timer, tick4)
			  : bpf_timer_set_callback(&hand->timer, tick6);
	if (!r)
		r = bpf_timer_start(&hand->timer, TICK_NS, 0);
	if (!r && stats) { /* as if it had run already */
		WRITE_ONCE(stats->last, (__u32)bpf_jiffies64());
		stats->ticks += !stats->ticks;
	}
	return r;
}

#endif
