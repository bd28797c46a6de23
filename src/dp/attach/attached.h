/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where our programs are attached, and whether they still are. */
#ifndef IVB_DP_ATTACH_ATTACHED_H
#define IVB_DP_ATTACH_ATTACHED_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

enum ivb_attachment_state {
	IVB_ATTACHED,
	IVB_ATTACH_GONE, /* the device does not exist any more */
	IVB_ATTACH_MOVED, /* the device is in another network namespace now, and the program with it */
	IVB_ATTACH_MISSING, /* the device is there, but somebody took the program away */
	IVB_ATTACH_HALF,    /* an `up` or `down` was interrupted */
};

struct ivb_attachment {
	__u32 ifindex;
	char name[IF_NAMESIZE]; /* empty: there is no such device here */
	__u32 zone;
	enum ivb_attach kind;
	enum ivb_attachment_state state;
	bool egress; /* the ipvs engine's program is there as well */
};

/* How, in a word: "tcx", "clsact". */
const char *ivb_attached_by(enum ivb_attach kind);

/*
 * Whether by a link: then it is known of devices that are elsewhere too, and can be detached from
 * anywhere. A filter is its network namespace's.
 */
bool ivb_attached_by_link(enum ivb_attach kind);

/* Everything attached, by ifindex. The caller frees *ret. */
int ivb_attached_list(const struct ivb_dp *dp, struct ivb_attachment **ret, size_t *ret_n,
		      struct ivb_err *err);

#endif
