/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services and servers of both engines with their traffic: what kernel IPVS has counted, and what
 * eBPF carried past it. A packet is in one of the two, so their sum is what was sent.
 */
#ifndef IVB_DP_REPORT_STATS_H
#define IVB_DP_REPORT_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

struct ivb_stats_server {
	__u8 af;
	__be16 port;
	bool removed; /* gone from its service: only eBPF's counts are left */
	union ivb_addr addr;
	__u32 slot; /* the bpf engine's dest, else IVB_NONE */
	struct ivb_traffic kernel, ebpf;
};

struct ivb_stats_service {
	bool ipvs;     /* kernel IPVS's; else the bpf engine's, where kernel is zero */
	bool unlisted; /* the kernel lists none such: it was removed, or it is one of several fwmarks */
	__u32 fwmark; /* if not 0, address, port and protocol are zero */
	struct ivb_service_key key;
	char scheduler[16];
	struct ivb_traffic kernel,
		ebpf; /* ebpf.conns: connections of which eBPF could carry packets */
	struct ivb_stats_server *servers;
	size_t num;
};

struct ivb_stats {
	struct ivb_stats_service *services; /* the order is ipvsadm's, fwmarks last */
	size_t num;
	bool ipvs; /* ip_vs is there */
};

/* The caller calls ivb_stats_fini(). */
int ivb_stats_get(struct ivb_stats *ret, struct ivb_dp *dp, struct ivb_err *err);
/* Turns now into rates per second: what came since before, which was read seconds ago. */
void ivb_stats_rate(struct ivb_stats *now, const struct ivb_stats *before, __u32 seconds);
void ivb_stats_fini(struct ivb_stats *stats);

#endif
