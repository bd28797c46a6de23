/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our programs on devices: by tcx links pinned as links/<ifindex> and links/<ifindex>-egress, or as
 * the clsact filter of priority IVB_FILTER_PRIORITY and handle IVB_FILTER_HANDLE. A folder
 * links/<ifindex>-clsact remembers that the clsact qdisc was made by us. devs has an entry for each
 * device.
 */
#ifndef IVB_DP_ATTACH_ATTACH_INT_H
#define IVB_DP_ATTACH_ATTACH_INT_H

#include "dp/attach/attached.h"

#define IVB_FILTER_PRIORITY 50
#define IVB_FILTER_HANDLE 1

/*
 * Attaches the zone's loaded program to a device where nothing of ours is. Undoes all on failure.
 */
int ivb_attach(struct ivb_dp *dp, __u32 ifindex, const char *name, __u32 zone,
	       enum ivb_attach *ret_kind, struct ivb_err *err);

/* The ipvs engine's program, on a device that ivb_attach() has attached to. */
int ivb_attach_egress(struct ivb_dp *dp, __u32 ifindex, const char *name, __u32 zone,
		      struct ivb_err *err);
int ivb_detach_egress(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err);

/*
 * For a takeover (dp/takeover/takeover_int.h): our program behind the one that another version has on a device,
 * and then in its place, at once.
 */
int ivb_attach_after(struct ivb_dp *dp, __u32 ifindex, const struct ivb_dev *dev,
		     struct ivb_err *err);
int ivb_attach_replace(struct ivb_dp *dp, const struct ivb_dp *old, __u32 ifindex,
		       const struct ivb_dev *dev, struct ivb_err *err);
int ivb_detach_after(const struct ivb_dp *dp, __u32 ifindex, __u32 kind, struct ivb_err *err);

/* The programs that are pinned as next-<name>, in place of those that the device has. */
int ivb_attach_renew(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err);

/* Takes away what there is, in whatever state. */
int ivb_detach(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err);

#endif
