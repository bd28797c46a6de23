/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading the programs of a zone and making the maps that are not there yet. Pins beside the maps':
 * prog-<zone> (ivb_ingress), egress-<zone> (ivb_egress), progs-<zone> (the IPv6 programs), arm4, arm6
 * (start the expiry timers). Internal to dp.
 */
#ifndef IVB_DP_LOAD_LOAD_INT_H
#define IVB_DP_LOAD_LOAD_INT_H

#include <stdbool.h>

#include "dp/instance/instance.h"

/*
 * Fills in what the object and the kernel decide: abi, hz, limits other than max_conns and
 * max_conns6.
 */
int ivb_load_defaults(struct ivb_meta *meta, struct ivb_err *err);

enum {
	IVB_LOAD_V6 = 1 << 0,
	IVB_LOAD_EGRESS = 1 << 1, /* the ipvs engine's */
	IVB_LOAD_TAKEOVER =
		1 << 2, /* take4 and take6 as well, and no expiry before ivb_prog_arm_all() */
	IVB_LOAD_RENEW = 1 << 3, /* what is loaded already, once more: pinned as next-<name> */
};

/*
 * Loads what the zone has not loaded yet: IPv4's ingress program, and what is asked for beside it.
 * Makes missing maps by dp->meta and pins everything; sets meta.jiffies and meta.monotonic_ns if
 * they are 0 (in dp, not in the map). After a failure no pin of this call stays.
 */
int ivb_load_zone(struct ivb_dp *dp, __u32 zone, unsigned int what, struct ivb_err *err);

/*
 * Loads everything with small maps, runs the timer, and lets go of it all: can this kernel do it?
 * If there can be no timer, *ret_no_timer is why, and that is no failure.
 */
int ivb_load_probe(int *ret_no_timer, struct ivb_err *err);

/*
 * Makes the IPv6 maps and loads the IPv6 programs of every zone, once; 0 if they are there. Needs
 * the exclusive lock.
 */
int ivb_load_v6(struct ivb_dp *dp, struct ivb_err *err);

#endif
