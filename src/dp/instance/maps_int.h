/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading whole maps, in batches. Internal to dp. */
#ifndef IVB_DP_INSTANCE_MAPS_INT_H
#define IVB_DP_INSTANCE_MAPS_INT_H

#include "dp/instance/instance.h"

/* The first n values of an array map with keys from 0. The caller frees *ret. */
int ivb_map_read_array(int fd, __u32 value_size, __u32 n, void **ret);

/*
 * Calls fn for each element of a hash map, in no order; an element that is added or removed
 * meanwhile may be missed or seen. Nonzero stops and is returned.
 */
int ivb_map_walk_hash(int fd, __u32 key_size, __u32 value_size,
		      int (*fn)(const void *key, const void *value, void *arg), void *arg);

/*
 * An array map with BPF_F_MMAPABLE, mapped into memory to be read: values of value_size rounded up
 * to 8 bytes. NULL with a sentence, and errno. ivb_map_munmap() takes the same numbers, and NULL.
 */
const void *ivb_map_mmap(const struct ivb_dp *dp, enum ivb_map id, __u32 value_size, __u32 n,
			 struct ivb_err *err);
void ivb_map_munmap(const void *p, __u32 value_size, __u32 n);

#endif
