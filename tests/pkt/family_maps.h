/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps of a family, as observe.c, verify.c and kernel.c see them. */
#ifndef TESTS_PKT_FAMILY_MAPS_H
#define TESTS_PKT_FAMILY_MAPS_H

#include "env.h"

struct family_maps {
	struct bpf_map *flows, *conns, *clock, *half_open, *due;
};

union any_tuple {
	struct ivb_tuple4 v4;
	struct ivb_tuple6 v6;
};

union any_conn {
	struct ivb_conn conn;
	struct ivb_conn4 v4;
	struct ivb_conn6 v6;
};

struct family_maps maps_of(struct env *t);
bool map_get(struct bpf_map *map, const void *key, void *value);
union any_tuple tuple_of(struct env *t, const struct pkt_spec *spec);
/* The key under which the other direction arrives: the new tuple, turned round. */
union any_tuple peer_key(struct env *t, const union any_flow *f, uint32_t proto);
bool state_counts_active(uint32_t state);
bool stamp_of(struct env *t, uint32_t id, uint32_t *ret);

#endif
