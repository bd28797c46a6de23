/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SNAT policies of services of kernel IPVS's; our own services carry theirs (`adm --snat`). */
#ifndef IVB_DP_FOLLOW_POLICY_H
#define IVB_DP_FOLLOW_POLICY_H

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

/*
 * For connections from now on. IVB_SNAT_DEFAULT removes the service's policy, and it has the
 * instance's again. -E2BIG: there are too many. Needs the exclusive lock.
 */
int ivb_policy_set(struct ivb_dp *dp, const struct ivb_service_key *key, enum ivb_snat policy,
		   struct ivb_err *err);

/* Calls fn for each; nonzero stops and is returned. */
int ivb_policy_walk(struct ivb_dp *dp,
		    int (*fn)(const struct ivb_service_key *key, enum ivb_snat policy, void *arg),
		    void *arg, struct ivb_err *err);

#endif
