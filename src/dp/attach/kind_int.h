/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the kinds of attaching. */
#ifndef IVB_DP_ATTACH_KIND_INT_H
#define IVB_DP_ATTACH_KIND_INT_H

#include "dp/attach/place_int.h"

/* What devs says of a device; one that we do not know is taken for the last row. */
const struct ivb_attach_ops *ivb_kind_ops(__u32 kind);

/* The first that this kernel has. */
enum ivb_attach ivb_kind_best(void);

/* Whether a pin's suffix is a kind's marker. */
bool ivb_kind_by_marker(enum ivb_attach *ret, const char *suffix);

#endif
