/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins of programs, by zone, and running the programs that are run once. Internal to dp. */
#ifndef IVB_DP_LOAD_ZONES_INT_H
#define IVB_DP_LOAD_ZONES_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

/* A descriptor of what is pinned as "<kind>-<zone>", which the caller closes; or -errno. */
int ivb_zone_pin_get(const struct ivb_dp *dp, const char *kind, __u32 zone);

/* Entries of progs-<zone>, as in bpf/maps.h. */
enum { IVB_PROG_INGRESS6, IVB_PROG_EGRESS6, IVB_PROG_EGRESS4, IVB_PROG_INGRESS4 };

/*
 * Whether the zone's program of a family is loaded (and for IPv6, reached); index: which of IPv6's.
 */
bool ivb_zone_has_v4(const struct ivb_dp *dp, __u32 zone);
bool ivb_zone_has_v6(const struct ivb_dp *dp, __u32 zone, __u32 index);
bool ivb_zone_has_egress(const struct ivb_dp *dp, __u32 zone);

/*
 * Runs a program of type syscall. Its own result, which is 0 or -errno, or -errno with a sentence.
 */
int ivb_prog_run(int fd, struct ivb_err *err, const char *what);

/*
 * Runs arm4 or arm6: starts an expiry timer, or gives it this program's code. If there can be none,
 * *no_timer is why, and that is no failure: packets do its work then.
 */
int ivb_prog_arm(int fd, int *no_timer, struct ivb_err *err, const char *what);

#endif
