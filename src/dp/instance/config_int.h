/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map config: what all programs look at. Internal to dp. */
#ifndef IVB_DP_INSTANCE_CONFIG_INT_H
#define IVB_DP_INSTANCE_CONFIG_INT_H

#include "dp/instance/instance.h"

/* The map's only element; whoever changes it holds the exclusive lock. */
int ivb_config_get(const struct ivb_dp *dp, struct ivb_config *ret, struct ivb_err *err);
int ivb_config_put(const struct ivb_dp *dp, const struct ivb_config *c, struct ivb_err *err);

/* Changes the flags (enum ivb_config_flags) that are in mask, for packets from here on. */
int ivb_config_set_flags(const struct ivb_dp *dp, __u32 mask, __u32 flags, struct ivb_err *err);

#endif
