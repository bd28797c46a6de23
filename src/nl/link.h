/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices of the current namespace. */
#ifndef IVB_NL_LINK_H
#define IVB_NL_LINK_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>

struct ivb_link {
	__u32 ifindex;
	__u32 flags;	       /* IFF_* */
	__u32 master;	       /* ifindex, 0 = none */
	__u32 parent;	       /* ifindex of the device that it is made on, 0 = none */
	bool parent_elsewhere; /* parent is of another network namespace */
	__u16 type;	       /* ARPHRD_* */
	char name[IF_NAMESIZE];
	char kind[32];	     /* "veth", "bridge", ...; empty for hardware */
	char slave_kind[32]; /* what it is a part of: "bridge", "bond", "vrf", ...; or empty */
};

/* -ENODEV: there is none of that name (alternative names are names too) or index. */
int ivb_link_by_name(struct ivb_link *ret, const char *name);
int ivb_link_by_index(struct ivb_link *ret, __u32 ifindex);

#endif
