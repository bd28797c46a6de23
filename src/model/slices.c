/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First fit in the ring array. */
#include "model/slices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_WORDS 16
#define WASTE 8 /* a slice this many times too large is given back */

/* Up to the next power of two, or from 4096 words on to the next eighth of it. */
static __u32 with_room(__u32 words)
{
	__u32 pow = MIN_WORDS, step;

	if (words > 1u << 30)
		return words;
	while (pow < words)
		pow *= 2;
	step = pow > 4096 ? pow / 8 : pow;
	return (words + step - 1) / step * step;
}

static int by_first(const void *a, const void *b)
{
	const struct ivb_slice *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void ivb_slice_sort(struct ivb_slice *taken, size_t n)
{
	qsort(taken, n, sizeof(*taken), by_first);
}

/* Index of the first slice that starts after this entry. */
static size_t slice_after(const struct ivb_slice *taken, size_t n, __u32 entry)
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (taken[mid].first > entry)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

void ivb_slice_insert(struct ivb_slice *taken, size_t *n, const struct ivb_slice *slice)
{
	size_t i = slice_after(taken, *n, slice->first);

	memmove(taken + i + 1, taken + i, (*n - i) * sizeof(*taken));
	taken[i] = *slice;
	++*n;
}

/* The first gap of at least capacity entries that starts (or can start) at from or later. */
static int gap_find(__u32 *ret, const struct ivb_slice *taken, size_t n, __u32 max, __u32 capacity,
		    __u32 from)
{
	size_t i = slice_after(taken, n, from);
	__u64 at = from;

	for (i = i ? i - 1 : 0; i < n; i++) {
		if ((__u64)taken[i].first + taken[i].capacity <= at)
			continue;
		if (at + capacity <= taken[i].first)
			break;
		at = (__u64)taken[i].first + taken[i].capacity;
	}
	if (at + capacity > max)
		return -ENOSPC;
	*ret = (__u32)at;
	return 0;
}

int ivb_slice_find(struct ivb_slice *ret, const struct ivb_slice *taken, size_t n, __u32 max,
		   __u32 words, __u32 hint)
{
	__u32 capacities[2] = { with_room(words), words };
	__u32 first;
	int i;

	for (i = 0; i < 2; i++) {
		if (gap_find(&first, taken, n, max, capacities[i], hint) &&
		    gap_find(&first, taken, n, max, capacities[i], 0))
			continue;
		*ret = (struct ivb_slice){ first, capacities[i] };
		return 0;
	}
	return -ENOSPC;
}

int ivb_slice_suits(const struct ivb_slice *s, __u32 words)
{
	return s->capacity >= words &&
	       (s->capacity <= 4 * MIN_WORDS || s->capacity / WASTE <= words);
}
