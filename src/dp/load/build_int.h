/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saying which build's programs an instance has. Internal to dp. */
#ifndef IVB_DP_LOAD_BUILD_INT_H
#define IVB_DP_LOAD_BUILD_INT_H

#include "dp/load/build.h"

enum ivb_build_of {
	IVB_BUILD_SEVERAL, /* or of one that is not this command's */
	IVB_BUILD_OWN,
};

/* Says which build all the programs are of. */
int ivb_build_set(const struct ivb_dp *dp, enum ivb_build_of of, struct ivb_err *err);

#endif
