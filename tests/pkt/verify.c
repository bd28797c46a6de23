/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks that what the programs have written hangs together (law 4). */
#include "env.h"
#include "family_maps.h"

#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tc.skel.h"

static void verify_kernel_conn(struct env *t, const struct ivb_flow *flow, uint64_t cp)
{
	struct ivb_kernel_conn kc;

	check(t, map_get(t->skel->maps.kernel_conns, &cp, &kc),
	      "a connection without its kernel's");
	check_int(t, kc.conn, flow->conn, "kernel connection's connection");
	check_int(t, kc.gen, flow->conn_gen, "kernel connection's generation");
	check_int(t, kc.af, t->af, "kernel connection's family");
}

/* A connection with a place among the half-open ones is the one that the place names. */
static void verify_place(struct env *t, uint32_t id, uint32_t state)
{
	uint32_t pos = IVB_CONN_PLACE(state) - 1;
	struct ivb_half_open h;

	if (!IVB_CONN_PLACE(state))
		return;
	check(t, map_get(maps_of(t).half_open, &pos, &h) && h.conn == id + 1,
	      "a half-open connection that its place does not know");
	check(t, IVB_CONN_STATE(state) != IVB_S_ESTABLISHED, "established, and half-open");
}

/* One flow: its peer, its connection, its stamp. Counts forward flows by dest. */
static void verify_flow(struct env *t, const union any_tuple *key, uint32_t (*counted)[2])
{
	uint32_t proto = t->af == AF_INET ? key->v4.proto : key->v6.proto, stamp;
	struct family_maps m = maps_of(t);
	union any_flow flow, peer;
	union any_tuple other;
	union any_conn conn;

	if (!map_get(m.flows, key, &flow))
		return;
	other = peer_key(t, &flow, proto);
	check(t, map_get(m.flows, &other, &peer), "a flow without its peer");
	check_int(t, peer.flow.conn, flow.flow.conn, "peer's connection");
	check_int(t, peer.flow.conn_gen, flow.flow.conn_gen, "peer's generation");
	check_int(t, (peer.flow.flags ^ flow.flow.flags) & IVB_FLOW_REPLY, IVB_FLOW_REPLY,
		  "flow and peer are of two directions");
	check(t, map_get(m.conns, &flow.flow.conn, &conn), "a flow without a connection");
	check_int(t, conn.conn.gen, flow.flow.conn_gen, "connection's generation");
	check_int(t, !!(conn.conn.state & IVB_CONN_KERNEL), !!(flow.flow.flags & IVB_FLOW_KERNEL),
		  "flow and connection are of one engine");
	if (flow.flow.flags & IVB_FLOW_KERNEL) {
		verify_kernel_conn(t, &flow.flow, conn.conn.cp);
	} else {
		check_int(t, conn.conn.dest, flow.flow.dest, "connection's dest");
		check_int(t, conn.conn.service, flow.flow.service, "connection's service");
	}
	check(t, stamp_of(t, flow.flow.conn, &stamp) && stamp > IVB_CLOCK_BUSY,
	      "a flow without an expiry stamp");
	if (flow.flow.flags & IVB_FLOW_REPLY)
		return;
	verify_place(t, flow.flow.conn, conn.conn.state);
	if (t->af == AF_INET)
		check(t, !memcmp(&conn.v4.key, key, sizeof(key->v4)), "connection's key");
	else
		check(t, !memcmp(&conn.v6.key, key, sizeof(key->v6)), "connection's key");
	if (flow.flow.flags & IVB_FLOW_KERNEL) {
		counted[64][0]++;
		counted[64][1] += !!(flow.flow.flags & IVB_FLOW_DIRECT);
	} else
		counted[flow.flow.dest % 64]
		       [state_counts_active(IVB_CONN_STATE(conn.conn.state))]++;
}

/* What is known of the connections of kernel IPVS is of those that are there. */
static uint32_t verify_kernel_conns(struct env *t)
{
	struct bpf_map *map = t->skel->maps.kernel_conns;
	struct ivb_kernel_conn kc;
	union any_conn conn;
	void *prev = NULL;
	uint32_t n = 0;
	uint64_t cp;

	while (!bpf_map__get_next_key(map, prev, &cp, sizeof(cp))) {
		prev = &cp;
		if (!map_get(map, &cp, &kc) || kc.conn == IVB_NONE)
			continue;
		n++;
		check(t,
		      map_get(maps_of(t).conns, &kc.conn, &conn) && conn.conn.gen == kc.gen &&
			      conn.conn.cp == cp,
		      "a connection of kernel IPVS that is not there");
	}
	return n;
}

/* Those of kernel IPVS whose replies come by here, counted by what kernel IPVS sees of these. */
static uint32_t verify_kernel_replies(struct env *t)
{
	struct bpf_map *map = t->skel->maps.kernel_replies;
	struct ivb_kernel_reply r;
	struct ivb_reply_key key;
	void *prev = NULL;
	uint32_t n = 0;

	while (!bpf_map__get_next_key(map, prev, &key, sizeof(key))) {
		prev = &key;
		if (map_get(map, &key, &r))
			n += (uint32_t)r.held;
	}
	return n;
}

void verify(struct env *t)
{
	struct bpf_map *flows = maps_of(t).flows;
	uint32_t counted[65][2] = { 0 }, conns, stamps = 0, stamp;
	union any_tuple key;
	void *prev = NULL;

	while (!bpf_map__get_next_key(flows, prev, &key, bpf_map__key_size(flows))) {
		prev = &key;
		verify_flow(t, &key, counted);
	}
	conns = counted[64][0]; /* kernel IPVS's */
	check_int(t, verify_kernel_replies(t), conns - counted[64][1],
		  "connections with replies to kernel IPVS");
	check_int(t, verify_kernel_conns(t), conns, "connections of kernel IPVS");
	for (uint32_t slot = 0; slot < 64; slot++) {
		struct ivb_dest_conns c = dest_counts(t, slot);

		check_int(t, c.inactive, counted[slot][0], "inactive connections of a dest");
		check_int(t, c.active, counted[slot][1], "active connections of a dest");
		conns += counted[slot][0] + counted[slot][1];
	}
	for (uint32_t id = 0; id < MAX_CONNS; id++)
		stamps += stamp_of(t, id, &stamp) && stamp != IVB_CLOCK_FREE;
	check_int(t, stamps, conns, "taken connection slots");
}
