/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ICMP error messages that we translate and send: RFC 792, RFC 4443. (linux/icmp.h drags in the
 * C library, which has no BPF variant.)
 */
#ifndef IVB_PKT_ICMP_H
#define IVB_PKT_ICMP_H

#include <linux/types.h>

struct ivb_icmp {
	__u8 type;
	__u8 code;
	__u16 checksum;
	/* IPv4: the lower half is the MTU of "fragmentation needed"; IPv6: all of it */
	__be32 rest;
};

enum { ICMP_DEST_UNREACH = 3, ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETERPROB = 12 };
enum { ICMP_PORT_UNREACH = 3, ICMP_FRAG_NEEDED = 4 };

enum {
	ICMPV6_DEST_UNREACH = 1,
	ICMPV6_PKT_TOOBIG = 2,
	ICMPV6_TIME_EXCEED = 3,
	ICMPV6_PARAMPROB = 4,
};
enum { ICMPV6_PORT_UNREACH = 4 };

#endif
