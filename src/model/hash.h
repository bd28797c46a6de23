/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of the schedulers that compare servers, and of those that hash. For model/sched.c. */
#ifndef IVB_MODEL_HASH_H
#define IVB_MODEL_HASH_H

#include "model/sched.h"

/* lc, wlc, sed, nq, fo, ovf, lblc, lblcr, twos: -ENOMEM. */
int ivb_hash_list_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
			const struct ivb_cursor *c);

/* sh, dh, mh: -ENOMEM. */
int ivb_hash_build(struct ivb_table *ret, enum ivb_scheduler scheduler,
		   const struct ivb_sched_dest *dests, size_t n);

#endif
