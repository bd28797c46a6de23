/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's routing says of one destination (RTM_GETROUTE), in the current namespace. */
#ifndef IVB_NL_ROUTE_H
#define IVB_NL_ROUTE_H

#include <stdbool.h>

#include <ivb/abi.h>

struct ivb_route {
	bool local;	    /* the destination is this host itself */
	bool broadcast;	    /* all hosts of a subnet */
	__u32 ifindex;	    /* index of the outgoing device, 0 if unknown */
	union ivb_addr src; /* source that a socket would use; zero = none */
};

/* -ENETUNREACH, -EHOSTUNREACH, ...: no route; other -errno: the question could not be asked. */
int ivb_route_get(struct ivb_route *ret, int af, const union ivb_addr *dst);

#endif
