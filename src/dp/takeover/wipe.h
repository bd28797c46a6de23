/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing an instance's contents. */
#ifndef IVB_DP_TAKEOVER_WIPE_H
#define IVB_DP_TAKEOVER_WIPE_H

#include <stddef.h>

#include "dp/instance/instance.h"

struct ivb_down_result {
	size_t detached; /* devices */
	size_t left;	 /* devices that are still attached; without devs: filters out of reach */
	int other_abi;	 /* ABI of what was removed, if another version's; else 0 */
};

/*
 * Detaches everything, removes all pins and the v<ABI> folder, whatever state they are in; dp stays
 * open and locked, without maps. Goes on after failures; returns the first. ret may be NULL.
 */
int ivb_wipe(struct ivb_dp *dp, struct ivb_down_result *ret, struct ivb_err *err);

#endif
