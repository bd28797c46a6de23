/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Law 4 and its like, proved from the maps: both directions of a connection live and die together,
 * every connection has its place in the clock, counts are what a recount finds, and services,
 * servers and scheduler tables fit together. What may be traffic's doing is looked at again before
 * it counts.
 */
#ifndef IVB_DP_VERIFY_VERIFY_H
#define IVB_DP_VERIFY_VERIFY_H

#include <linux/types.h>

struct ivb_dp;
struct ivb_err;

struct ivb_verify {
	__u64 flows;
	__u64 connections;
	__u64 stale;	 /* clock slots without connection, which the sweeper will free */
	__u64 unsettled; /* servers whose counts moved too fast to be compared */
	__u64 problems;
};

/* Calls report, with a sentence, for the problems (the first hundreds of them). */
int ivb_verify(struct ivb_dp *dp, struct ivb_verify *ret,
	       void (*report)(const char *problem, void *arg), void *arg, struct ivb_err *err);

#endif
