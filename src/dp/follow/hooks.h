/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the hooks on kernel IPVS (ipvs.bpf.c) are there. They are pinned as hooks/<program>, and
 * while they are there ip_vs cannot be unloaded.
 */
#ifndef IVB_DP_FOLLOW_HOOKS_H
#define IVB_DP_FOLLOW_HOOKS_H

#include <stdbool.h>

#include "dp/instance/instance.h"

enum ivb_hooks {
	IVB_HOOKS_NONE,
	IVB_HOOKS_SOME, /* an `up` or `down` was interrupted */
	IVB_HOOKS_ALL,
};

enum ivb_hooks ivb_hooks_state(const struct ivb_dp *dp);

/* Whether they tell which services kernel IPVS has: not every kernel has functions that say so. */
bool ivb_hooks_tell_services(const struct ivb_dp *dp);

#endif
