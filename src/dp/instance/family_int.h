/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two families' tables by one name, and their keys and values in one shape. Internal to dp. */
#ifndef IVB_DP_INSTANCE_FAMILY_INT_H
#define IVB_DP_INSTANCE_FAMILY_INT_H

#include <stdbool.h>

#include "dp/instance/instance.h"

struct ivb_family {
	__u8 af;
	__u8 index; /* index into sweeps, admission, config */
	enum ivb_map flows, conns, clock, half_open;
	__u32 key_size, flow_size, conn_size;
};

extern const struct ivb_family ivb_families[2];

/* Whether the family's maps are there; *ret_max: its connection slots. */
bool ivb_family_on(const struct ivb_dp *dp, const struct ivb_family *f, __u32 *ret_max);

union ivb_tuple {
	struct ivb_tuple4 v4;
	struct ivb_tuple6 v6;
};

union ivb_any_flow {
	struct ivb_flow flow; /* common start */
	struct ivb_flow4 v4;
	struct ivb_flow6 v6;
};

union ivb_any_conn {
	struct ivb_conn conn; /* common start */
	struct ivb_conn4 v4;
	struct ivb_conn6 v6;
};

/* The key that the connection's other direction arrives by. */
void ivb_family_peer_key(const struct ivb_family *f, const union ivb_tuple *key,
			 const union ivb_any_flow *flow, union ivb_tuple *ret);

/* What kernel IPVS sees of a reply, as kernel_replies has it; key and flow are the forward ones. */
void ivb_family_reply_key(const struct ivb_family *f, const union ivb_tuple *key,
			  const union ivb_any_flow *flow, struct ivb_reply_key *ret);

/* The forward key that a connection slot remembers. */
const void *ivb_family_conn_key(const struct ivb_family *f, const union ivb_any_conn *c);

/* Whether connections in this state count as active, as in the kernel's tcp_state_active_table. */
bool ivb_family_state_is_active(__u32 state);

#endif
