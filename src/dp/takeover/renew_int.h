/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing the programs of another build of the same ABI. Internal to dp. */
#ifndef IVB_DP_TAKEOVER_RENEW_INT_H
#define IVB_DP_TAKEOVER_RENEW_INT_H

#include <stdbool.h>

#include "dp/instance/instance.h"

/*
 * Puts this build's programs in place of another build's of the same ABI, at once on each device,
 * with the maps as they are; hooks: those on kernel IPVS as well. 0 also if there is nothing to do;
 * *ret_done: whether there was. After a failure, or killed, all goes on with the programs that are
 * there, and calling again goes on. Needs the exclusive lock.
 */
int ivb_renew(struct ivb_dp *dp, bool hooks, bool *ret_done, struct ivb_err *err);

#endif
