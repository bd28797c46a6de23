/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs have carried, added up: for kernel IPVS's connections, and for live ones of
 * ours.
 */
#ifndef IVB_DP_REPORT_TRAFFIC_H
#define IVB_DP_REPORT_TRAFFIC_H

#include <stddef.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

struct ivb_carried_row {
	struct ivb_traffic_key key;
	struct ivb_traffic t;
};

struct ivb_carried {
	struct ivb_carried_row *rows; /* kernel IPVS's connections, ended and live */
	size_t num;
	struct ivb_traffic *dests; /* the bpf engine's live connections, by dest slot */
	__u32 num_dests;
};

/*
 * A connection that ends while this reads may be missing from the sums; none is counted twice.
 * The caller calls ivb_traffic_carried_fini().
 */
int ivb_traffic_carried_read(struct ivb_carried *ret, struct ivb_dp *dp, struct ivb_err *err);
void ivb_traffic_carried_fini(struct ivb_carried *carried);

void ivb_traffic_add(struct ivb_traffic *to, const struct ivb_traffic *t);

#endif
