/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places on a device, and what each kind of attaching does there. Links are pinned as
 * links/<ifindex><suffix of the side>.
 */
#ifndef IVB_DP_ATTACH_PLACE_INT_H
#define IVB_DP_ATTACH_PLACE_INT_H

#include "dp/attach/attached.h"

/* Where on a device. */
struct ivb_side {
	const char *suffix; /* suffix of the link's pin */
	const char *name;   /* "ingress", "egress" */
	bool egress;
	bool behind; /* another program of ours */
};

extern const struct ivb_side ivb_side_ingress; /* the program that all devices have */
extern const struct ivb_side ivb_side_egress;  /* the ipvs engine's */
extern const struct ivb_side ivb_side_after;   /* ours behind another version's */

/*
 * A kind of attaching: one row for each enum ivb_attach (kind.c), a file each. Zones and programs are
 * attach.c's matter.
 */
struct ivb_attach_ops {
	const char *name;
	const char *marker; /* suffix of a pin beside the links that tells the kind, or NULL */
	bool by_link;	    /* a pin is all that holds the program, in whatever namespace */
	bool (*supported)(void);
	/* Ingress and the entry in devs. Undoes all on failure. */
	int (*attach)(struct ivb_dp *dp, int prog_fd, __u32 ifindex, __u32 zone,
		      struct ivb_err *err);
	/* Ingress, in whatever state, and what attach() has made beside it; not the entry. */
	int (*detach)(const struct ivb_dp *dp, __u32 ifindex, struct ivb_err *err);
	/* A program on one side. */
	int (*add)(const struct ivb_dp *dp, const struct ivb_side *side, int prog_fd, __u32 ifindex,
		   struct ivb_err *err);
	int (*remove)(const struct ivb_dp *dp, const struct ivb_side *side, __u32 ifindex,
		      struct ivb_err *err);
	/* Another version's program gives way to ours at once. Not if there is none. */
	int (*replace)(const struct ivb_dp *dp, const struct ivb_dp *old,
		       const struct ivb_side *side, int prog_fd, __u32 ifindex,
		       struct ivb_err *err);
	/* Another program in place of ours, at once. */
	int (*renew)(const struct ivb_dp *dp, const struct ivb_side *side, int prog_fd,
		     __u32 ifindex, struct ivb_err *err);
	/* Whether what devs and pins say is still so: sets a->state and a->egress. */
	void (*look)(const struct ivb_dp *dp, struct ivb_attachment *a);
};

extern const struct ivb_attach_ops ivb_tcx_ops;
extern const struct ivb_attach_ops ivb_clsact_ops;

void ivb_place_path(char *buf, size_t size, const struct ivb_dp *dp, const char *suffix,
		    __u32 ifindex);

int ivb_place_set_dev(const struct ivb_dp *dp, __u32 ifindex, __u32 zone, enum ivb_attach kind,
		      struct ivb_err *err);

/* Detaches the side's link, whatever kind it is of, and removes its pin. 0: there is none. */
int ivb_place_unlink(const struct ivb_dp *dp, const struct ivb_side *side, __u32 ifindex,
		     struct ivb_err *err);

#endif
