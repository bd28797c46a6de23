/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nf_tables of the current namespace (iptables-nft's rules are there too). */
#ifndef IVB_NL_NFT_H
#define IVB_NL_NFT_H

#include <linux/types.h>

/*
 * The number of base chains at the hooks that forwarded or delivered packets pass (prerouting,
 * input, forward, output, postrouting) in the families ip, ip6 and inet. A kernel without nf_tables
 * has none.
 */
int ivb_nft_base_chains(__u32 *ret);

#endif
