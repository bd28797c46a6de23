/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What user space hands to the programs take4 and take6, which are loaded with it: no ABI. */
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
	__u32 op; /* enum ivb_take_op */
	__u32 conn;
	__u32 gen;
	__u32 stamp; /* when it ends */
	__u32 from;  /* ivb_conn.state: moved only if it is still this one */
	__u32 to;
	__u32 flags[2];	  /* of the flows, forward and reply, if the state moves */
	__u64 packets[2]; /* to be added */
	__u64 bytes[2];
};

#endif
