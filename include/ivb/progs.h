/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program is where in the map progs, of which each zone has one: IPv6's, and those behind others. */
#ifndef IVB_PROGS_H
#define IVB_PROGS_H

enum ivb_prog {
	IVB_PROG_INGRESS6,
	IVB_PROG_EGRESS6,
	IVB_PROG_EGRESS4,
	IVB_PROG_INGRESS4, /* during a takeover: what ivb_after leads to */
	IVB_PROG_MAX_,
};

#endif
