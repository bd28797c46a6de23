/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What spy.bpf.c tells of the last redirect. */
#ifndef TESTS_PKT_SPY_H
#define TESTS_PKT_SPY_H

#include <linux/bpf.h>
#include <linux/types.h>

struct spy_redirect {
	__u32 calls;
	__u32 ifindex;
	__u32 by_neighbour; /* 1: bpf_redirect_neigh(), to nh */
	struct bpf_redir_neigh nh;
};

#endif
