/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time that programs know as bpf_ktime_get_ns(). */
#ifndef IVB_BASE_CLOCK_H
#define IVB_BASE_CLOCK_H

#include <linux/types.h>

/* CLOCK_MONOTONIC, in nanoseconds. */
__u64 ivb_clock_monotonic_ns(void);

#endif
