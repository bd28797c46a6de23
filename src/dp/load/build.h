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

/* Whether a name that ivb_build_get() gave is this command's. */
bool ivb_build_name_is_own(const char *build);

/* Whether all programs are of this command's build. */
bool ivb_build_is_own(const struct ivb_dp *dp);

#endif
