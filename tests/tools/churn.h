/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What churn.bpf.c tells churn.c. */
#ifndef TESTS_LIB_CHURN_H
#define TESTS_LIB_CHURN_H

#include <linux/types.h>

#define CHURN_CONNS (1 << 21) /* in a program's life */
#define CHURN_ENDED 0xff

struct churn_counts {
	__u64 begun;	/* SYNs */
	__u64 done;	/* closed from both ends; if they are kept: answered data */
	__u64 repeated; /* packets sent once more */
	__u64 reset;
	__u64 stolen;	/* SYNs at a port whose connection was open */
	__u64 strays;	/* packets at a port without connection */
	__u64 reused;	/* SYNs at a port that had one before */
	__u64 shortest; /* ns between its end and that SYN */
};

struct churn_port {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__u16 pad_;
};

struct churn_use {
	__u64 closed; /* CLOCK_MONOTONIC, ns */
	__u32 open;
	__u32 conn;
};

#endif
