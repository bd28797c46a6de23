/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which build's programs an instance has: the symbolic link `build` beside its pins names it, as
 * 0.1.0-<hash of the BPF objects>. No link: programs of several, as a command was killed, or made
 * some for IPv6.
 */
#ifndef IVB_DP_LOAD_BUILD_H
#define IVB_DP_LOAD_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

#define IVB_BUILD_LEN 48

/* This command's. */
const char *ivb_build_own(void);

/* The instance's; empty: several. */
void ivb_build_get(const struct ivb_dp *dp, char *buf, size_t size);

/* Whether all programs are of this command's build. */
bool ivb_build_is_own(const struct ivb_dp *dp);

/* Says that they are, or (own: false) that they are of several. */
int ivb_build_set(const struct ivb_dp *dp, bool own, struct ivb_err *err);

/*
 * Puts this build's programs in place of another build's of the same ABI, at once on each device,
 * with the maps as they are; hooks: those on kernel IPVS as well. 0 also if there is nothing to do;
 * *done: whether there was. After a failure, or killed, all goes on with the programs that are
 * there, and calling again goes on. Needs the exclusive lock.
 */
int ivb_build_renew(struct ivb_dp *dp, bool hooks, bool *done, struct ivb_err *err);

#endif
