/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of SNAT, and clients that --non-masq leaves alone: what `up` was told, read back. */
#ifndef IVB_DP_REPORT_SNAT_USE_H
#define IVB_DP_REPORT_SNAT_USE_H

#include <stddef.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

struct ivb_port_range {
	__u32 lo, hi;
};

struct ivb_snat_use {
	struct ivb_port_range *ranges; /* ranges in ascending order */
	size_t num_ranges;
	struct ivb_prefix *prefixes;
	size_t num_prefixes;
};

/* Everything in *ret is the caller's to finish, after a failure too. */
int ivb_snat_use_get(const struct ivb_dp *dp, struct ivb_snat_use *ret, struct ivb_err *err);
void ivb_snat_use_fini(struct ivb_snat_use *s);

#endif
