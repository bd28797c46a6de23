/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_ADDR_H
#define IVB_ABI_ADDR_H

#include <linux/types.h>

/* An index that names nothing. */
#define IVB_NONE 0xffffffffu

/* As union nf_inet_addr: IPv4 uses the first word, and the other three are zero. */
union ivb_addr {
	__be32 ip;
	__be32 ip6[4];
};

#endif
