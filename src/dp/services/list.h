/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading services and their servers. The lock of the instance, shared or not, keeps them still. */
#ifndef IVB_DP_SERVICES_LIST_H
#define IVB_DP_SERVICES_LIST_H

#include <stddef.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

struct ivb_service_info {
	struct ivb_service_key key;
	struct ivb_service svc;
};

struct ivb_dest_info {
	__u32 slot;
	struct ivb_dest dest;
	struct ivb_dest_conns conns;
};

/*
 * A number of connections: packets move it by atomics, so that for a moment it may be less than zero.
 */
static inline __u32 ivb_conns_count(__u32 n)
{
	return (int)n > 0 ? n : 0;
}

int ivb_list_service(struct ivb_dp *dp, const struct ivb_service_key *key, struct ivb_service *ret,
		     struct ivb_err *err);
/* In no order; the caller frees *ret. */
int ivb_list_services(struct ivb_dp *dp, struct ivb_service_info **ret, size_t *ret_n,
		      struct ivb_err *err);
/* The newest first, as the kernel keeps them; the caller frees *ret. */
int ivb_list_dests(struct ivb_dp *dp, const struct ivb_service *svc, struct ivb_dest_info **ret,
		   size_t *ret_n, struct ivb_err *err);

#endif
