/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saying which build's programs an instance has. Internal to dp. */
#ifndef IVB_DP_LOAD_BUILD_INT_H
#define IVB_DP_LOAD_BUILD_INT_H

#include "dp/load/build.h"

/* Says that all are of this command's build, or (own: false) that they are of several. */
int ivb_build_set(const struct ivb_dp *dp, bool own, struct ivb_err *err);

#endif
