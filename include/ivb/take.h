/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What user space hands to the programs take4 and take6, which are loaded with it: no ABI. A
 * connection's flows and conn have been written before; here is what packets may be at as well.
 */
#ifndef IVB_TAKE_H
#define IVB_TAKE_H

#include <linux/types.h>

/* What is to be done with one of the connections that are taken over. */
enum ivb_take_op {
	IVB_TAKE_ADD,  /* its flows and its conn have been written: it begins */
	IVB_TAKE_MOVE, /* what has happened to it since */
	IVB_TAKE_DROP, /* it has ended meanwhile */
};

struct ivb_take {
	__u32 op;    /* enum ivb_take_op */
	__u32 conn;  /* id */
	__u32 gen;   /* ivb_conn.gen: of any other connection with that id nothing is touched */
	__u32 stamp; /* jiffies when it ends; if the state does not move, only a later one counts */
	__u32 from;  /* ivb_conn.state: moved only if it is still this one */
	__u32 to;
	__u32 flags[2];	  /* enum ivb_flow_flags, forward and reply; taken if the state moves */
	__u64 packets[2]; /* to be added; forward and reply */
	__u64 bytes[2];
};

#endif
