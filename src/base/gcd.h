/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Greatest common divisors, of weights. */
#ifndef IVB_BASE_GCD_H
#define IVB_BASE_GCD_H

#include <linux/types.h>

/* Of a and 0 it is a. */
static inline __u32 ivb_gcd(__u32 a, __u32 b)
{
	while (b) {
		__u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

#endif
