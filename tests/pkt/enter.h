/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a packet enters the programs, and what they leave in its sk_buff: between enter.c and
 * enter.bpf.c.
 */
#ifndef TESTS_PKT_ENTER_H
#define TESTS_PKT_ENTER_H

#include <linux/types.h>

enum enter_prog { ENTER_INGRESS, ENTER_EGRESS, ENTER_MAX_ };

/* For the next packet. */
struct enter_how {
	__u32 prog;  /* enum enter_prog */
	__u32 mark;  /* skb->tc_index */
	__u32 noted; /* bit 0, 1: the note from the client, from the server, is about this packet */
};

#define ENTER_NOTES 128	   /* that enter_noted can choose from, by the packet's cb[0] */
#define ENTER_COPY_MAX 256

/* Of the last packet. */
struct enter_seen {
	__u64 skb;
	__u64 dev;   /* its struct net_device: numbers are the same in other namespaces */
	__u32 calls; /* of the program: 1 */
	__u32 mark;
	__u32 priority;
	__u32 copies; /* that came in once more by the same device */
	__u32 copy_mark;
	__u32 copy_len; /* without the Ethernet header */
	__u8 copy[ENTER_COPY_MAX];
};

#endif
