/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the programs that are run once. Internal to dp. */
#ifndef IVB_DP_LOAD_PROG_INT_H
#define IVB_DP_LOAD_PROG_INT_H

#include "dp/instance/instance.h"

/*
 * Runs a program of type syscall. Its own result, which is 0 or -errno, or -errno with a sentence.
 */
int ivb_prog_run(int fd, struct ivb_err *err, const char *what);

/*
 * Runs arm4 or arm6: starts an expiry timer, or gives it this program's code. If there can be none,
 * *ret_no_timer is why, and that is no failure: packets do its work then.
 */
int ivb_prog_arm(int fd, int *ret_no_timer, struct ivb_err *err, const char *what);

/* Starts the expiry timers that are not running. */
int ivb_prog_arm_all(struct ivb_dp *dp, struct ivb_err *err);

#endif
