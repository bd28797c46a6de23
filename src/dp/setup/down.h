/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking an instance down, or devices out of it. */
#ifndef IVB_DP_SETUP_DOWN_H
#define IVB_DP_SETUP_DOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/takeover/wipe.h"

struct ivb_down {
	const char *instance;
	char *const *devs; /* none: everything */
	size_t num_devs;
	bool force; /* an instance of another network namespace as well */
};

/* -ENOENT: nothing of that name is there. */
int ivb_dp_down(const struct ivb_down *down, struct ivb_down_result *ret, struct ivb_err *err);

#endif
