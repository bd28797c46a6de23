/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching the hooks on kernel IPVS, and letting go of it. Internal to dp. */
#ifndef IVB_DP_FOLLOW_HOOKS_INT_H
#define IVB_DP_FOLLOW_HOOKS_INT_H

#include "dp/follow/hooks.h"

/*
 * Attaches and pins all of them, and notes which connections are older. ready is called when they
 * have been loaded, which takes long, and are about to be attached, which does not; an error of its
 * is returned. Undoes all on failure.
 * -ENOENT: the kernel has no ip_vs now; -EOPNOTSUPP: it has one that we do not know; -EEXIST: another
 * instance follows this network namespace's.
 */
int ivb_hooks_attach(struct ivb_dp *dp, int (*ready)(void *arg, struct ivb_err *err), void *arg,
		     struct ivb_err *err);

/*
 * Those of a version beside another's, which it is taking over from: that one knows already which
 * connections are older.
 */
int ivb_hooks_attach_beside(const struct ivb_dp *dp, struct ivb_err *err);

/*
 * Puts this build's in place of those that are attached: each new one is there before the old one
 * goes, and that both run for a moment changes nothing, as they write the same into the same maps.
 */
int ivb_hooks_renew(const struct ivb_dp *dp, struct ivb_err *err);

/* Lets go of kernel IPVS: ip_vs can be unloaded when this returns. 0 if there was nothing. */
int ivb_hooks_detach(const struct ivb_dp *dp, struct ivb_err *err);

#endif
