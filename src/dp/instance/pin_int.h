/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pin of the instance's folder, by its name. Internal to dp. */
#ifndef IVB_DP_INSTANCE_PIN_INT_H
#define IVB_DP_INSTANCE_PIN_INT_H

#include <stddef.h>

#include "dp/instance/instance.h"

/* Before the name of a pin that is to take the name's place; see dp/takeover/renew_int.h. */
#define IVB_PIN_NEXT "next-"

/*
 * What every program and map of ours is called by, as `bpftool prog` and `bpftool map` show them.
 * Pins are not: docs/decisions/20-names-of-maps.md. The kernel keeps 15 characters.
 */
#define IVB_NAME_PREFIX "ivb_"

/* What the program or map with that name is pinned as. */
const char *ivb_pin_of(const char *name);

/* The path of a pin of that name. */
void ivb_pin_path(char *buf, size_t size, const struct ivb_dp *dp, const char *name);

/* A descriptor of what is pinned under that name, which the caller closes; or -errno. */
int ivb_pin_get(const struct ivb_dp *dp, const char *name);

/* No pin of that name is left. */
void ivb_pin_remove(const struct ivb_dp *dp, const char *name);

/* Pins in place of what is pinned under that name, if anything is. */
int ivb_pin_replace(const struct ivb_dp *dp, int fd, const char *name, struct ivb_err *err);

#endif
