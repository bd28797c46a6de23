/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of what the schedulers work from: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_SCHED_H
#define IVB_ABI_SCHED_H

#include <linux/types.h>

/* --- scheds, ring (arrays): what the schedulers work from ----------------------------------- */

enum ivb_scheduler {
#define IVB_SCHEDULER(NAME, name, table, flags, ask) IVB_SCHED_##NAME,
#include <ivb/schedulers.def>
	IVB_SCHED_MAX_,
};

_Static_assert(IVB_SCHED_MAX_ == 14,
	       "schedulers.def has changed: set a new IVB_ABI, and this number");

/*
 * rr and wrr give a periodic sequence. It is kept as segments: between two neighbouring distinct
 * weights the set of servers that take part in a pass does not change, so a segment is that set (a
 * run of dest slots in ring), gone through (length / count) times. Equal weights are one segment.
 * A position p belongs to the last segment with start <= p % length, and there to
 * ring[first + (p % length - start) % count].
 * Schedulers that compare servers (lc, wlc, sed, nq, fo, ovf, lblc, lblcr, twos): no segments, length
 * pairs {dest slot, weight} of the servers whose weight is not 0. Those that hash (sh, dh, mh): no
 * segments, length dest slots. Neither has a position, but lblc and lblcr keep there what they know:
 * the slot, plus 1, of the server chosen last, or 0; when the set changed last (CLOCK_MONOTONIC, ns).
 */
struct ivb_sched {
	__u64 position; /* of the next connection; packets add to it */
	__u64 length;	/* of one period, or of the table; 0 = no server */
	__u32 num_segments;
	__u32 first; /* index into ring of the slice: num_segments triplets, then the dest slots */
	__u32 capacity; /* words of ring that the slice owns */
	__u32 cw;	/* wrr: the kernel's current weight at the time of writing; user space's */
	__u64 written_at; /* position when the table was written, or IVB_SCHED_AFRESH; lblcr: when
			   * the service got this scheduler */
};

/* With position 0: wrr has begun afresh, because every server was overloaded. */
#define IVB_SCHED_AFRESH (~0ull)

/* A segment, as three words of ring. */
struct ivb_segment {
	__u32 start; /* position of its first connection in the period (periods over 2^32 do not occur) */
	__u32 first; /* index into ring of its first dest slot */
	__u32 count; /* dest slots */
};

_Static_assert(sizeof(struct ivb_sched) == 40, "scheds value");

#endif
