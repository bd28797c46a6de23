/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in user input. */
#include "base/num.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static int digits_parse(__u64 *ret, const char *s, size_t len, __u64 min, __u64 max)
{
	bool overflow = false;
	__u64 v = 0;
	size_t i;

	if (!len)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (__u64)(s[i] - '0'), &v))
			overflow = true;
	}
	if (overflow || v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int ivb_num_u32_parse(__u32 *ret, const char *s, __u32 min, __u32 max)
{
	__u64 v;
	int r = digits_parse(&v, s, strlen(s), min, max);

	if (!r)
		*ret = (__u32)v;
	return r;
}

int ivb_num_u16_parse(__u16 *ret, const char *s, __u16 min, __u16 max)
{
	__u64 v;
	int r = digits_parse(&v, s, strlen(s), min, max);

	if (!r)
		*ret = (__u16)v;
	return r;
}

int ivb_num_range_parse(__u32 *ret_lo, __u32 *ret_hi, const char *s, __u32 min, __u32 max)
{
	const char *dash = strchr(s, '-');
	__u64 lo, hi;
	int r;

	r = digits_parse(&lo, s, dash ? (size_t)(dash - s) : strlen(s), min, max);
	if (r)
		return r;
	hi = lo;
	if (dash) {
		r = digits_parse(&hi, dash + 1, strlen(dash + 1), min, max);
		if (r)
			return r;
	}
	if (lo > hi)
		return -EINVAL;
	*ret_lo = (__u32)lo;
	*ret_hi = (__u32)hi;
	return 0;
}
