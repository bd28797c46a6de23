/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of another version's instance, as user space brings them (dp/takeover/takeover_int.h). It has
 * written conns and flows; here is what packets may be at as well: state, counts and stamp.
 */
#ifndef IVB_TAKEOVER_H
#define IVB_TAKEOVER_H

#include <ivb/take.h>

#include "conn/conn.h"
#include "engine_ipvs/join.h"

static __always_inline void take_flow(struct ivb_flow *f, const struct ivb_take *t, int reply,
				      bool moved)
{
	if (f->conn != t->conn || f->conn_gen != t->gen)
		return;
	f->packets += t->packets[reply];
	f->bytes += t->bytes[reply];
	if (moved)
		f->flags = (f->flags & IVB_FLOW_AMBIGUOUS) | t->flags[reply];
}

static __always_inline void take_flows(const int af, const struct ivb_conn *c,
				       const struct ivb_take *t, bool moved)
{
	union tuple key, peer;
	union flow *f;

	conn_key(af, c, &key);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	if (!f)
		return;
	take_flow(&f->flow, t, 0, moved);
	flow_peer_key(af, f, tuple_proto(af, &key), &peer);
	tuple_copy_zone(af, &peer, &key);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &peer);
	if (f)
		take_flow(&f->flow, t, 1, moved);
}

/* Kernel IPVS's connections are counted by itself. */
static __always_inline bool take_state(struct ivb_conn *c, __u32 from, __u32 to)
{
	if (from & IVB_CONN_KERNEL)
		return __sync_val_compare_and_swap(&c->state, from, to) == from;
	return conn_set_state(c, from, to);
}

/* Moves state and stamp. If the state moves, the stamp is the new state's; else the later counts. */
static __always_inline void take_move(const int af, struct ivb_conn *c, __u32 *stamp,
				      const struct ivb_take *t)
{
	bool moved = t->from != t->to && take_state(c, t->from, t->to);
	__u32 seen = READ_ONCE(*stamp);

	take_flows(af, c, t, moved);
	if (seen <= IVB_CLOCK_BUSY || (!moved && (__s32)(t->stamp - seen) <= 0))
		return;
	if (__sync_val_compare_and_swap(stamp, seen, t->stamp) == seen)
		BY_AF(af, clock_due, t->conn / IVB_CLOCK_GROUP, t->stamp);
}

/* Counts a connection for its server, or its replies for kernel IPVS's sake. */
static __always_inline int take_count(const int af, const struct ivb_conn *c, __u32 id)
{
	struct ivb_reply_key k;
	union tuple key;
	union flow *f;

	if (!(c->state & IVB_CONN_KERNEL)) {
		dest_count(c->dest, c->state, 1);
		return 0;
	}
	conn_key(af, c, &key);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	if (!f || !reply_counts(f))
		return 0;
	reply_key(af, &key, FLOW_DADDR(af, f), f->flow.dport, &k);
	return reply_join(af, &k, id, c->gen) ? 0 : -EAGAIN;
}

static __always_inline int take(const int af, const struct ivb_take *t)
{
	__u32 id = t->conn, *stamp = clock_stamp(af, id);
	struct ivb_conn *c = conn_get(af, id);
	int r;

	if (!c || !stamp || READ_ONCE(c->gen) != t->gen)
		return -ENOENT;
	switch (t->op) {
	case IVB_TAKE_ADD:
		r = take_count(af, c, id);
		if (r)
			return r;
		__sync_lock_test_and_set(stamp, t->stamp); /* see clock_due() */
		BY_AF(af, clock_due, id / IVB_CLOCK_GROUP, t->stamp);
		return 0;
	case IVB_TAKE_MOVE:
		take_move(af, c, stamp, t);
		return 0;
	case IVB_TAKE_DROP:
		return conn_kill(af, id, t->gen) ? 0 : -ENOENT;
	}
	return -EINVAL;
}

#endif
