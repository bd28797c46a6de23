/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zeroing the counters of services: what they were is remembered, and subtracted in listings. */
#ifndef IVB_DP_REPORT_ZERO_H
#define IVB_DP_REPORT_ZERO_H

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

/* key NULL: all services. -ESRCH: there is no such service. */
int ivb_stats_zero(struct ivb_dp *dp, const struct ivb_service_key *key, struct ivb_err *err);

#endif
