/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether connections may begin, for whoever makes them. */
#ifndef IVB_LIB_HOLD_H
#define IVB_LIB_HOLD_H

#include "lib/verdict.h"

/*
 * Whether another version is just taking over (dp/takeover/takeover_int.h). Of its own, as flow_miss6() has no
 * word of stack left (6.1, clang 14, "combined stack size of 5 calls").
 */
GLOBAL int conns_on_hold(void)
{
	__u32 zero = 0;
	struct ivb_config *cfg = bpf_map_lookup_elem(&config, &zero);

	return cfg && cfg->hold_until && (__s32)(cfg->hold_until - (__u32)bpf_jiffies64()) > 0;
}

#endif
