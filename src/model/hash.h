/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of the schedulers that compare servers, and of those that hash. For model/sched.c. */
#ifndef IVB_MODEL_HASH_H
#define IVB_MODEL_HASH_H

#include "model/sched.h"

/* Of those that compare servers. All of these: -ENOMEM; of c the place in the table alone is used. */
int ivb_hash_list_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
			const struct ivb_cursor *c, struct ivb_err *err);

int ivb_hash_sh_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      const struct ivb_cursor *c, struct ivb_err *err);
int ivb_hash_dh_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      const struct ivb_cursor *c, struct ivb_err *err);
int ivb_hash_mh_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      const struct ivb_cursor *c, struct ivb_err *err);

#endif
