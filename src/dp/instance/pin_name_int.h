/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the names of pins say. Others' names are -EINVAL, and so is what is nearly ours: "v02". */
#ifndef IVB_DP_INSTANCE_PIN_NAME_INT_H
#define IVB_DP_INSTANCE_PIN_NAME_INT_H

#include <linux/types.h>

/* "v2": the folder of an ABI. */
int ivb_pin_name_abi(const char *name, __u32 *ret_abi);

/* "prog-5": the program of a zone. */
int ivb_pin_name_zone(const char *name, __u32 *ret_zone);

/* "5", "5-egress", "5-after", "5-clsact": of a device; ret_what is "", "-egress" and so on. */
int ivb_pin_name_dev(const char *name, __u32 *ret_ifindex, const char **ret_what);

#endif
