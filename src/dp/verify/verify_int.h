/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the verification share. Internal to dp/verify*.c. */
#ifndef IVB_DP_VERIFY_VERIFY_INT_H
#define IVB_DP_VERIFY_VERIFY_INT_H

#include <stdbool.h>

#include "dp/verify/verify.h"

struct ivb_verifier {
	struct ivb_dp *dp;
	struct ivb_verify res;
	void (*report)(const char *problem, void *arg);
	void *arg;
	struct ivb_err *err;
	bool by_packets; /* the family at hand has no timer: what has ended may wait long */
};

/* Counts a problem and reports it. */
void ivb_verify_problem(struct ivb_verifier *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Services, servers, scheduler tables. The lock keeps them still. */
int ivb_verify_config(struct ivb_verifier *v);

/* Flows, slots, the sweeper. */
int ivb_verify_flows(struct ivb_verifier *v);

/* active and inactive of each server against a recount. */
int ivb_verify_counts(struct ivb_verifier *v);

/* Between two looks at a suspect. */
#define IVB_VERIFY_LOOKS 6
void ivb_verify_problem_wait(void);

#endif
