/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been loaded for each zone, by its pins. Internal to dp. */
#ifndef IVB_DP_LOAD_ZONES_INT_H
#define IVB_DP_LOAD_ZONES_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

/* A descriptor of what is pinned as "<kind>-<zone>", which the caller closes; or -errno. */
int ivb_zone_pin_get(const struct ivb_dp *dp, const char *kind, __u32 zone);

/*
 * Whether the zone's program of a family is loaded (and for IPv6, reached); index: which of IPv6's
 * (enum ivb_prog).
 */
bool ivb_zone_has_v4(const struct ivb_dp *dp, __u32 zone);
bool ivb_zone_has_v6(const struct ivb_dp *dp, __u32 zone, __u32 index);
bool ivb_zone_has_egress(const struct ivb_dp *dp, __u32 zone);

/* The program to attach to the zone's devices; the caller closes it. -ENOENT: not loaded. */
int ivb_zone_prog(const struct ivb_dp *dp, __u32 zone, int *ret_fd);

/* The egress program to attach to the zone's devices, as ivb_zone_prog(). */
int ivb_zone_egress(const struct ivb_dp *dp, __u32 zone, int *ret_fd);

/* For a takeover: what stands behind another version's program meanwhile, as ivb_zone_prog(). */
int ivb_zone_after(const struct ivb_dp *dp, __u32 zone, int *ret_fd);

/* Removes the pins of a zone that nothing has been attached for. */
void ivb_zone_unload(const struct ivb_dp *dp, __u32 zone);

/* The zone that the program with this id was loaded for; -ENOENT: not ours. */
int ivb_zone_of(const struct ivb_dp *dp, __u32 prog_id, __u32 *ret_zone);

/* Calls fn for each zone that has been loaded; nonzero stops. */
int ivb_zones_each(const struct ivb_dp *dp, int (*fn)(__u32 zone, void *arg), void *arg);

#endif
