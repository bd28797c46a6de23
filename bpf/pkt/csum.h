/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksum arithmetic (RFC 1071, RFC 1624): no context, no maps; also compiled natively.
 * Sums are ones' complement, over 16-bit words as they stand in memory; a delta is the sum of the
 * new words and the complements of the old ones.
 */
#ifndef IVB_PKT_CSUM_H
#define IVB_PKT_CSUM_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Folds sums of up to 2^16 32-bit words. */
static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Folds a sum of less than 2^32, with half the work. */
static __always_inline __u16 csum_fold32(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u64 csum_word(__u32 from, __u32 to)
{
	return (__u64)(__u32)~from + to;
}

/* A checksum field (the complement of the sum) after a change of what it covers; delta < 2^31. */
static __always_inline __u16 csum_update(__u16 check, __u32 delta)
{
	return ~csum_fold32((__u16)~check + delta);
}

/* The same for UDP, where 0 says that there is none (RFC 768). */
static __always_inline __u16 csum_update_udp(__u16 check, __u32 delta)
{
	__u16 sum;

	if (!check)
		return 0;
	sum = csum_update(check, delta);
	return sum ? sum : 0xffff;
}

#endif
