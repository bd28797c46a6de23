/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic control of the current namespace: the clsact queueing discipline and the filters on it.
 */
#ifndef IVB_NL_TC_H
#define IVB_NL_TC_H

#include <linux/types.h>
#include <stdbool.h>

struct ivb_tc_filter {
	bool egress;
	__u16 priority;
	__u32 handle;
	__u32 prog_id; /* kind "bpf": the program's id, else 0 */
	char kind[16];
	char name[64]; /* kind "bpf": the name it was given */
};

/*
 * Calls fn for each filter on the device's clsact, ingress first; there are none without a clsact.
 * fn returns 0 to go on; another value stops and is returned.
 */
int ivb_tc_filters(__u32 ifindex, int (*fn)(const struct ivb_tc_filter *f, void *arg), void *arg);

/* Whether the device has a clsact; -ENODEV: no such device. */
int ivb_tc_has_clsact(__u32 ifindex, bool *ret);

#endif
