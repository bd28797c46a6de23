/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading whole maps, in batches. Internal to dp. */
#ifndef IVB_DP_INSTANCE_MAPS_INT_H
#define IVB_DP_INSTANCE_MAPS_INT_H

#include <linux/types.h>

/* The first n values of an array map with keys from 0. The caller frees *ret. */
int ivb_map_read_array(int fd, __u32 value_size, __u32 n, void **ret);

/*
 * Calls fn for each element of a hash map, in no order; an element that is added or removed
 * meanwhile may be missed or seen. Nonzero stops and is returned.
 */
int ivb_map_walk_hash(int fd, __u32 key_size, __u32 value_size,
		      int (*fn)(const void *key, const void *value, void *arg), void *arg);

#endif
