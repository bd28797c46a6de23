/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verification as a whole. */
#include "dp/verify/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "dp/verify/verify_int.h"

#define MAX_REPORTS 200
#define PAUSE_MS 50

void ivb_verify_pause(void)
{
	const struct timespec t = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&t, NULL);
}

void ivb_verify_problem(struct ivb_verifier *v, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (v->res.problems++ >= MAX_REPORTS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->report(text, v->arg);
}

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
