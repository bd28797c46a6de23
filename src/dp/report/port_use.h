/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many of SNAT's ports are in use towards each server, where there is a bitmap of them. */
#ifndef IVB_DP_REPORT_PORT_USE_H
#define IVB_DP_REPORT_PORT_USE_H

#include <stddef.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

/* In use by connections that live, percent: from here on an address is said to run short. */
#define IVB_PORTS_SHORT 80

struct ivb_port_use {
	struct ivb_port_key key;
	__u32 ports;	 /* ports that SNAT may use */
	__u32 used;	 /* some of these; up to 64 more are from before there was a bitmap */
	__u32 ended;	 /* used ones of connections that have ended; can be had if need be */
	__u64 reclaimed; /* ports reclaimed so far */
};

/* Those with the most live connections first; the caller frees *ret. */
int ivb_port_use_get(const struct ivb_dp *dp, struct ivb_port_use **ret, size_t *ret_n,
		     struct ivb_err *err);

/* Of the ports, by live connections. */
static inline unsigned int ivb_port_use_percent(const struct ivb_port_use *u)
{
	return u->ports ? (unsigned int)((__u64)(u->used - u->ended) * 100 / u->ports) : 0;
}

#endif
