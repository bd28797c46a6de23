/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in user input: a whole string of decimal digits within a range, or an error. */
#ifndef IVB_BASE_NUM_H
#define IVB_BASE_NUM_H

#include <linux/types.h>

/*
 * -EINVAL: s is empty or has anything but decimal digits (no sign, no blanks);
 * -ERANGE: the number is not within min..max.
 */
int ivb_num_u32_parse(__u32 *ret, const char *s, __u32 min, __u32 max);
int ivb_num_u16_parse(__u16 *ret, const char *s, __u16 min, __u16 max);

/* "LO-HI", or "N" for N-N; -EINVAL also when LO > HI. */
int ivb_num_range_parse(__u32 *ret_lo, __u32 *ret_hi, const char *s, __u32 min, __u32 max);

#endif
