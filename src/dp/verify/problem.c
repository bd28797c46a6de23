/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A problem that the verification has found, and how long it looks again before it says so. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "dp/verify/verify_int.h"

#define MAX_REPORTS 200
#define PAUSE_MS 50

void ivb_verify_problem_wait(void)
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
