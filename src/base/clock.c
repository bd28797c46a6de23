/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time. */
#include "base/clock.h"

#include <time.h>

__u64 ivb_clock_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000ull + (__u64)t.tv_nsec;
}
