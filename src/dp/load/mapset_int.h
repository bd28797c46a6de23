/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps of a BPF object that is being loaded: pinned ones are shared, others are made. Internal
 * to dp.
 */
#ifndef IVB_DP_LOAD_MAPSET_INT_H
#define IVB_DP_LOAD_MAPSET_INT_H

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "dp/instance/instance.h"

#define IVB_MAPSET_MAX (IVB_MAP_MAX_ + 16)

/* Between open and load: reuses what is pinned; IPv6's maps are not made unless v6 says so. */
int ivb_mapset_prepare(const struct ivb_dp *dp, struct bpf_object *obj, __u32 zone, bool v6,
		       struct ivb_err *err);

struct ivb_mapset_pin {
	int fd; /* the object's */
	char name[32];
};

/* After load: the maps that have no pin yet, in the order in which they are to get it. */
size_t ivb_mapset_unpinned(const struct ivb_dp *dp, const struct bpf_object *obj, __u32 zone,
			   bool v6, struct ivb_mapset_pin *ret);

#endif
