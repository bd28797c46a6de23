/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What taking an instance down does to the connections that live, and waiting until it does
 * nothing.
 */
#ifndef IVB_DP_REPORT_DRAIN_H
#define IVB_DP_REPORT_DRAIN_H

#include <stdbool.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

struct ivb_conn_info;

/* Whether it ends without us, and has not ended already (TIME_WAIT, CLOSE). */
bool ivb_drain_needs_us(const struct ivb_conn_info *c);

/* Live connections, by what becomes of them without us. */
struct ivb_fates {
	__u64 own;   /* our own services': they end */
	__u64 snat;  /* kernel IPVS's with SNAT: they end */
	__u64 going; /* kernel IPVS's without SNAT: it goes on with them */
	bool draining;
};

int ivb_drain_count(struct ivb_dp *dp, struct ivb_fates *ret, struct ivb_err *err);

/*
 * No new connections, as if we were down already: first packets go to the stack, and new
 * connections of kernel IPVS get no SNAT. Any `up` ends it. Needs the exclusive lock.
 */
int ivb_drain_set(struct ivb_dp *dp, bool on, struct ivb_err *err);

#endif
