/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPsec policies: what a packet that we redirect would pass by unencrypted. */
#ifndef IVB_NL_XFRM_H
#define IVB_NL_XFRM_H

#include <linux/types.h>

/*
 * The number of policies of the current namespace that transform or block packets (sockets' own
 * ones and plain "allow" ones do not count). A kernel without XFRM has none.
 */
int ivb_xfrm_policies(__u32 *ret);

#endif
