/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The three timeouts that ipvsadm --set sets, in seconds: tcp, tcpfin, udp. */
#ifndef IVB_DP_SERVICES_TIMEOUTS_H
#define IVB_DP_SERVICES_TIMEOUTS_H

#include <linux/types.h>

struct ivb_dp;
struct ivb_err;

int ivb_timeouts_get(struct ivb_dp *dp, __u32 ret[3], struct ivb_err *err);
/* 0: as it is. For connections that come to the state from here on, or have a packet there. */
int ivb_timeouts_set(struct ivb_dp *dp, const __u32 seconds[3], struct ivb_err *err);

#endif
