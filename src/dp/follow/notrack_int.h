/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of ours that keep kernel IPVS's connections out of conntrack (`up --notrack`). Internal to
 * dp.
 */
#ifndef IVB_DP_FOLLOW_NOTRACK_INT_H
#define IVB_DP_FOLLOW_NOTRACK_INT_H

#include "dp/instance/instance.h"

/*
 * Tells the programs of the services that kernel IPVS has, and makes the rules, or makes them anew.
 * The hooks must be attached. What kube-proxy's sets say must not be translated is left to
 * conntrack.
 */
int ivb_notrack_on(struct ivb_dp *dp, struct ivb_err *err);

int ivb_notrack_off(struct ivb_err *err);

#endif
