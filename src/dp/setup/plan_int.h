/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps config, snat_ports and non_masq, from the options of `up`. Internal to dp. */
#ifndef IVB_DP_SETUP_PLAN_INT_H
#define IVB_DP_SETUP_PLAN_INT_H

#include "dp/setup/up.h"

/* What the maps are to be. Allocated: some 130 kB. */
struct ivb_plan {
	struct ivb_config config;
	struct ivb_port_group ports[65536 / IVB_PORT_GROUP];
	bool had_notrack; /* before */
	struct ivb_port_map blank;
	bool set_ports;
	const struct ivb_prefix *non_masq;
	size_t num_non_masq;
	bool set_non_masq;
	__u32 shared_ports; /* SNAT's that the kernel gives to local sockets too */
};

/*
 * Works it out without changing anything; fresh: from the defaults, else from the current config.
 */
int ivb_plan(const struct ivb_dp *dp, const struct ivb_up *up, bool fresh, struct ivb_plan *ret,
	     struct ivb_err *err);

/* Writes it. */
int ivb_plan_write(const struct ivb_dp *dp, const struct ivb_plan *plan, struct ivb_err *err);

#endif
