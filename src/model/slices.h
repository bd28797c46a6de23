/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Room in the ring array: which part of it a new slice may take. Pure. */
#ifndef IVB_MODEL_SLICES_H
#define IVB_MODEL_SLICES_H

#include <stddef.h>

#include <linux/types.h>

struct ivb_slice {
	__u32 first;
	__u32 capacity; /* 0: no slice */
};

/* Slices that are taken are kept in their order; none has capacity 0, and none overlaps another. */
void ivb_slice_sort(struct ivb_slice *taken, size_t n);
/* There must be room for another one. */
void ivb_slice_insert(struct ivb_slice *taken, size_t *n, const struct ivb_slice *slice);

/*
 * A place for words entries that overlaps none of the n taken slices, within an array of max
 * entries: the first one at or after hint, else the first one at all, so that what has just been
 * freed is not the first to be taken again. The capacity has some room to grow, unless that is all
 * there is.
 * -ENOSPC: none.
 */
int ivb_slice_find(struct ivb_slice *ret, const struct ivb_slice *taken, size_t n, __u32 max,
		   __u32 words, __u32 hint);

/*
 * Whether a table of so many words should go into a slice that is there: it fits, without much
 * waste.
 */
int ivb_slice_suits(const struct ivb_slice *s, __u32 words);

#endif
