/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ticks.bpf.c tells ticks.c. */
#ifndef IVB_TESTS_TICKS_H
#define IVB_TESTS_TICKS_H

#define STEPS 1024
#define STEP_NS 10000 /* the last one: all that are longer */

/* The runs of a timer: how many were as long as n steps, and the longest of all. */
struct runs {
	unsigned long long of[STEPS];
	unsigned long long longest;
	unsigned long long began;
};

#endif
