/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration maps while one command changes them: mapped into memory, what is in use marked,
 * and what a killed command left behind put right. Private to src/dp.
 */
#ifndef IVB_DP_EDIT_H
#define IVB_DP_EDIT_H

#include <stdbool.h>

#include "dp/services.h"
#include "model/sched.h"

struct ivb_edit {
	struct ivb_dp *dp;
	struct ivb_service_info *services;
	size_t num_services;
	const struct ivb_dest *dests; /* the maps themselves */
	struct ivb_dest_conns *dest_conns;
	struct ivb_sched *scheds;
	const __u64 *ring; /* one word in the low half of each */
	bool *slot_used;   /* by service slot */
	bool *dest_listed; /* by dest slot: in some service's list */
};

/* A service's dests in list order, the newest first. */
struct ivb_edit_list {
	struct ivb_sched_dest *dests;
	size_t num;
};

int ivb_edit_open(struct ivb_edit **ret, struct ivb_dp *dp, struct ivb_err *err);
void ivb_edit_closep(struct ivb_edit **edit);

/* -ESRCH and its sentence if there is none. *ret points into edit->services. */
int ivb_edit_service(struct ivb_edit *edit, const struct ivb_service_key *key,
		     struct ivb_service_info **ret, struct ivb_err *err);

/* Writes one dest whole; packets may read it meanwhile, but not what stays the same. */
int ivb_edit_dest(const struct ivb_edit *edit, __u32 slot, const struct ivb_dest *d,
		  struct ivb_err *err);
int ivb_edit_dest_state(const struct ivb_edit *edit, __u32 slot, __u32 state, struct ivb_err *err);

/* What the scheduler has to know of a dest, as it is written now. */
struct ivb_sched_dest ivb_edit_sched_dest(const struct ivb_edit *edit, __u32 slot);

/* list has room for one more than there are; the caller calls ivb_edit_list_fini(). */
int ivb_edit_list(const struct ivb_edit *edit, const struct ivb_service *svc,
		  struct ivb_edit_list *ret);
void ivb_edit_list_fini(struct ivb_edit_list *list);

/* Where the service's scheduler stands now. */
void ivb_edit_cursor(const struct ivb_edit *edit, const struct ivb_service *svc,
		     const struct ivb_edit_list *list, struct ivb_cursor *ret);

/*
 * Writes the table for this list and cursor into the service's other slice, and then the service
 * itself, which is the moment when packets see it. svc is the new value but for sched, which is set
 * here, as are first_dest and num_dests.
 */
int ivb_edit_commit(struct ivb_edit *edit, const struct ivb_service_key *key,
		    struct ivb_service *svc, const struct ivb_edit_list *list,
		    const struct ivb_cursor *cursor, struct ivb_err *err);

#endif
