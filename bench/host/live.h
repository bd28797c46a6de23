/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network that bench/host/run.sh builds, one of these for each variant (n = 1, 2, ...). */
#ifndef LIVE_H
#define LIVE_H

#define NET_CLIENT(n) (0x0a010000u | (n) << 8) /* 10.1.n.0/24: director .1, client .2 */
#define NET_SERVER(n) (0x0a020000u | (n) << 8) /* 10.2.n.0/24: director .1, servers .2 and .3 */
#define VIP(n) (0x0a090001u | (n) << 8)	       /* 10.9.n.1 */
#define NET_SOURCES 0x0a640000u		       /* 10.100.0.0/16: clients, routed by 10.1.n.2 */
#define LIVE_PORT 81			       /* of the service with DESTS servers */
#define SHED_PORT 82			       /* of no service */
#define SOURCE_PORTS 60000		       /* of each client address */
#define SOURCE_ADDRS 32 /* that take turns: 1,920,000 connections without a port used twice */
#define HEADERS 54	/* Ethernet, IPv4, TCP */

#define FLOOD_BLOCK 64 /* packets */
#define FLOOD_SPELL 64 /* blocks of established packets with one flood, and then with the other */
#define FLOOD_SKIP 4   /* of them not looked at: the caches are still the other one's */
#define FLOOD_ONE 1024 /* a flood's block for each of theirs */
#define FLOOD_SAMPLES 8192

/* Two floods beside the same connections, by spells: to the service, and to no service. */
struct live_flood {
	__u8 frame[HEADERS + 2];
	__u32 share; /* of its blocks for each of theirs, in FLOOD_ONEs */
	__u32 owed;
	struct live_blocks { /* of established packets, and of its own */
		__u32 num;
		__u32 ns[FLOOD_SAMPLES];
	} blocks[2];
};

struct live_hop {
	__u32 in;  /* ifindex */
	__u32 out; /* ifindex */
	__be32 nh;
};

#endif
