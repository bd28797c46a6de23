/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `up` over an instance that another version with another ABI has made: everything of it comes into
 * maps of ours, and our programs into its programs' places. docs/decisions/18-upgrade.md says how.
 * Internal to dp.
 */
#ifndef IVB_DP_TAKEOVER_TAKEOVER_INT_H
#define IVB_DP_TAKEOVER_TAKEOVER_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

#define IVB_OLD_VALUE_MAX \
	256u /* longest of flows, conns, dest_conns, config; others may be longer */

/* What of a connection has been taken already. */
struct ivb_taken {
	__u32 gen; /* 0: nothing */
	__u32 state;
};

struct ivb_takeover {
	struct ivb_dp *dp; /* ours */
	struct ivb_dp old; /* without lock; its meta as far as it has one */
	int abi;	   /* the old one's */
	struct {
		__u32 key, value, max;
	} size[IVB_MAP_MAX_];	    /* the old one's */
	struct ivb_taken *taken[2]; /* connections by id, IPv4 and IPv6 */
	int take_fd[2];		    /* take4, take6 */
	bool kernel;		    /* both have hooks on kernel IPVS */
	bool resumed;
};

/*
 * Takes over the instance of another ABI if there is one, complete; finishes what an earlier one
 * has begun. 0 also if there is nothing to do; *ret_abi: whose it was, or 0. dp is complete then.
 * After a failure either the old instance is as before, or calling again goes on.
 */
int ivb_takeover(struct ivb_dp *dp, const char *instance, int *ret_abi, struct ivb_err *err);

/* takeover_old.c */

/* What there is of it, also half of one; then its meta.abi is 0. */
int ivb_takeover_old_open(struct ivb_takeover *t, const char *instance, struct ivb_err *err);

/* Whether this version knows all that the instance has and uses; -EPROTO. */
int ivb_takeover_old_check(const struct ivb_takeover *t, struct ivb_err *err);

/* The only value of meta or config, whatever its length; 0 beyond its end. */
int ivb_takeover_old_get_one(const struct ivb_takeover *t, enum ivb_map id, void *ret, size_t size);

/* The old programs drain or do not, and begin no connection for some seconds (0: they do). */
int ivb_takeover_old_tell(const struct ivb_takeover *t, bool drain, __u32 hold_s,
			  struct ivb_err *err);

/* takeover_maps.c: all elements of a map, into ours, which is empty. */
int ivb_takeover_map(const struct ivb_takeover *t, enum ivb_map id, struct ivb_err *err);

/* takeover_kernel.c: what is known of kernel IPVS's connections beside those that are ours */

/* The connection of kernel IPVS that one of the old instance's is, if it is still. */
bool ivb_takeover_kernel_get(const struct ivb_takeover *t, const struct ivb_conn *conn, __u32 id,
			     struct ivb_kernel_conn *ret);

/* Those that get no SNAT, as they are older than the old hooks. */
int ivb_takeover_kernel_existed(const struct ivb_takeover *t, struct ivb_err *err);

/* takeover_conns.c */

/* All connections, or what has changed of them since the last time. */
int ivb_takeover_conns(struct ivb_takeover *t, struct ivb_err *err);

/* Servers' counts that are not of connections that live: rest: the traffic, else who is overloaded. */
int ivb_takeover_conns_counts(const struct ivb_takeover *t, bool rest, struct ivb_err *err);

/* After the old programs have run for the last time: the rest, with what was carried. */
int ivb_takeover_conns_rest(struct ivb_takeover *t, struct ivb_err *err);

/* As if all of ours had been taken just now: for one that goes on. */
int ivb_takeover_conns_resume(struct ivb_takeover *t, struct ivb_err *err);

#endif
