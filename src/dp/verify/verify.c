/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verification as a whole. */
#include "dp/verify/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "dp/verify/verify_int.h"

int ivb_verify(struct ivb_dp *dp, struct ivb_verify *ret,
	       void (*report)(const char *problem, void *arg), void *arg, struct ivb_err *err)
{
	struct ivb_verifier v = { .dp = dp, .report = report, .arg = arg, .err = err };
	int r;

	r = ivb_verify_config(&v);
	if (!r)
		r = ivb_verify_flows(&v);
	if (!r)
		r = ivb_verify_counts(&v);
	if (r)
		return r;
	*ret = v.res;
	return 0;
}
