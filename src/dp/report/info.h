/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `status` tells of an open instance. */
#ifndef IVB_DP_REPORT_INFO_H
#define IVB_DP_REPORT_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

struct ivb_family_info {
	bool on; /* IPv6: from the first service of that family */
	__u32 max_conns;
	__u32 conns; /* slots in use */
	__u32 half_open, max_half_open;
	__u64 evicted; /* half-open connections that made room for others */
	struct ivb_sweep sweep;
	__u32 sweep_age_ms; /* since the last tick */
	bool sweep_running;
	bool by_packets; /* no timer has ever run */
};

struct ivb_info {
	struct ivb_config config;
	__u32 num_services;
	__u32 num_dests;			 /* services' servers */
	__u32 num_removed;			 /* removed, with connections left */
	struct ivb_family_info families[2];	 /* IPv4, IPv6 */
	struct ivb_counter counters[IVB_R_MAX_]; /* sums over the CPUs */
};

int ivb_info_get(const struct ivb_dp *dp, struct ivb_info *ret, struct ivb_err *err);

#endif
