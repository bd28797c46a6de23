/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live connections, as the flow tables have them. */
#ifndef IVB_DP_REPORT_CONNS_H
#define IVB_DP_REPORT_CONNS_H

#include <stdbool.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

struct ivb_conn_info {
	__u8 af;
	__u8 proto;
	bool snat;
	bool kernel; /* kernel IPVS's: state as it was last seen, packets those that were carried here */
	__u32 id; /* index into conns */
	__u32 zone;
	__u32 state;	     /* enum ivb_conn_state */
	__u32 expires;	     /* seconds from now */
	__u32 service, dest; /* slots; kernel: IVB_NONE */
	union ivb_addr caddr, vaddr, daddr,
		saddr; /* client, virtual, server; source towards the server */
	__be16 cport, vport, dport, sport;
	__u64 in_packets, in_bytes;   /* client to server */
	__u64 out_packets, out_bytes; /* server to client */
};

/*
 * Calls fn for each connection of both families, in no order; connections that come or go meanwhile
 * may be missed. fn returns 0 to go on, another value to stop, which is then returned.
 */
int ivb_conns_walk(struct ivb_dp *dp, int (*fn)(const struct ivb_conn_info *c, void *arg),
		   void *arg, struct ivb_err *err);

/* "ESTABLISHED", "TIME_WAIT", "UDP", ...: the names that ipvsadm -Lnc prints. */
const char *ivb_conn_state_name(__u32 state);

#endif
