/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a connection: its slot in the clock, its state, and its end. Both flows are made and
 * removed together; whoever removes a connection has first claimed its stamp, so one of several
 * wins.
 */
#ifndef IVB_CONN_CONN_H
#define IVB_CONN_CONN_H

#include "conn/clock.h"
#include "lib/verdict.h"
#include "conn/replies.h"
#include "snat/ports.h"
#include "conn/state.h"
#include "lib/tuple.h"

#define SLOT_TRIES 16

static __always_inline struct ivb_conn *conn_get(const int af, __u32 id)
{
	return bpf_map_lookup_elem(MAP_OF(af, conns), &id);
}

/* The key of its forward flow. */
static __always_inline void conn_key(const int af, const struct ivb_conn *c, union tuple *key)
{
	if (af == AF_INET)
		key->v4 = ((const struct ivb_conn4 *)c)->key;
	else
		key->v6 = ((const struct ivb_conn6 *)c)->key;
}

/* The flow of the other direction; NULL: it is not, or no longer, the same connection's. */
static __always_inline union flow *flow_peer(const int af, const union flow *f, __u8 proto)
{
	union tuple key;
	union flow *peer;

	flow_peer_key(af, f, proto, &key);
	peer = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	return peer && peer->flow.conn == f->flow.conn && peer->flow.conn_gen == f->flow.conn_gen
		       ? peer
		       : NULL;
}

/* How long a connection of a service may stay in a state without a packet. */
static __always_inline __u32 state_timeout(__u32 service, __u32 state)
{
	struct ivb_service_state *s = bpf_map_lookup_elem(&service_state, &service);
	struct ivb_config *cfg;
	__u32 zero = 0, own = 0;

	if (s && state == IVB_S_ESTABLISHED)
		own = s->timeouts.tcp;
	else if (s && state == IVB_S_FIN_WAIT)
		own = s->timeouts.tcpfin;
	else if (s && state == IVB_S_UDP)
		own = s->timeouts.udp;
	if (own)
		return own;
	cfg = bpf_map_lookup_elem(&config, &zero);
	return cfg && state < IVB_S_MAX_ ? cfg->timeouts[state] : 60 * ivb_hz;
}

/* Takes a free slot of one group; -1: there is none. */
static __always_inline int slot_claim(const int af, __u32 group, __u32 stamp)
{
	struct ivb_clock_group *g = bpf_map_lookup_elem(MAP_OF(af, clock), &group);
	int i;

	if (!g)
		return -1;
	for (i = 0; i < IVB_CLOCK_GROUP; i++) {
		if (!g->expires[i] &&
		    !__sync_val_compare_and_swap(&g->expires[i], IVB_CLOCK_FREE, stamp))
			return i;
	}
	return -1;
}

GLOBAL int slot_claim4(__u32 group, __u32 stamp)
{
	return slot_claim(AF_INET, group, stamp);
}

GLOBAL int slot_claim6(__u32 group, __u32 stamp)
{
	return slot_claim(AF_INET6, group, stamp);
}

/*
 * Takes a free connection slot, or IVB_NONE. The search starts where this CPU's last one ended, at
 * four groups in a row, and then jumps: a long run of taken slots must not fail it.
 */
static __always_inline __u32 slot_alloc(const int af, __u32 stamp)
{
	__u32 family = FAMILY_INDEX(af), mask = CONN_MASK(af) / IVB_CLOCK_GROUP;
	__u32 *cursor = bpf_map_lookup_elem(&cursors, &family);
	__u32 start, group, t;
	int i;

	if (!cursor)
		return IVB_NONE;
	start = *cursor;
	for (t = 0; t < SLOT_TRIES; t++) {
		group = (t < 4 ? start + t : start + t * 40503) & mask;
		i = BY_AF(af, slot_claim, group, stamp);
		if (i >= 0) {
			BY_AF(af, clock_due, group, stamp);
			*cursor = group;
			return group * IVB_CLOCK_GROUP + i;
		}
	}
	*cursor = start + SLOT_TRIES;
	return IVB_NONE;
}

GLOBAL __u32 slot_alloc4(__u32 stamp)
{
	return slot_alloc(AF_INET, stamp);
}

GLOBAL __u32 slot_alloc6(__u32 stamp)
{
	return slot_alloc(AF_INET6, stamp);
}

static __always_inline void slot_free(const int af, __u32 id)
{
	__u32 *stamp = clock_stamp(af, id);

	if (stamp)
		WRITE_ONCE(*stamp, IVB_CLOCK_FREE);
}

/* The connection has been seen: it ends a timeout from now, unless somebody is removing it. */
static __always_inline void conn_touch(const int af, __u32 id, __u32 now, __u32 timeout)
{
	__u32 *stamp = clock_stamp(af, id), seen, at = stamp_at(now + timeout);

	if (!stamp)
		return;
	seen = READ_ONCE(*stamp);
	/* as good as that already: packets are noted once a second, too */
	if (seen <= IVB_CLOCK_BUSY || at - seen < ivb_hz)
		return;
	if (__sync_val_compare_and_swap(stamp, seen, at) != seen)
		return;
	if ((__s32)(at - seen) < 0)
		BY_AF(af, clock_due, id / IVB_CLOCK_GROUP, stamp_at(at + clock_slack(timeout)));
}

static __always_inline struct ivb_dest_conns *dest_counts(__u32 dest)
{
	return bpf_map_lookup_elem(&dest_conns, &dest);
}

static __always_inline void dest_count(__u32 dest, __u32 state, int delta)
{
	struct ivb_dest_conns *c = dest_counts(dest);

	if (!c)
		return;
	if (state_active(state))
		__sync_fetch_and_add(&c->active, delta);
	else
		__sync_fetch_and_add(&c->inactive, delta);
}

/* After a connection has ended: its server may take some again (ip_vs_dest_update_overload()). */
static __always_inline void dest_relieve(__u32 dest)
{
	struct ivb_dest_conns *c = dest_counts(dest);
	struct ivb_dest *d;
	__u32 lower;

	if (!c || !READ_ONCE(c->overloaded))
		return;
	d = bpf_map_lookup_elem(&dests, &dest);
	if (!d)
		return;
	lower = d->lower ? d->lower : d->upper - d->upper / 4;
	if (!d->upper || c->active + c->inactive < lower)
		WRITE_ONCE(c->overloaded, 0);
}

/*
 * Moves the connection's state; the CPU that moves it moves the counts. False: another CPU moved
 * it.
 */
static __always_inline bool conn_set_state(struct ivb_conn *c, __u32 from, __u32 to)
{
	if (from == to)
		return true;
	if (__sync_val_compare_and_swap(&c->state, from, to) != from)
		return false;
	if (state_active(from) != state_active(to)) {
		dest_count(c->dest, from, -1);
		dest_count(c->dest, to, 1);
	}
	return true;
}

/* Not on the stack, of which the expiry timer has used most when it comes here. */
static const struct ivb_traffic no_traffic;

/* The account of a server of kernel IPVS's, for one of its services; the first one opens it. */
static __always_inline struct ivb_traffic *traffic_account(const int af, const union tuple *key,
							   const union flow *f)
{
	struct ivb_traffic_key k = {
		.vport = TUPLE_DPORT(af, key),
		.dport = f->flow.dport,
		.proto = tuple_proto(af, key),
		.af = af,
	};
	struct ivb_traffic *t;

	addr_copy(af, k.vaddr.ip6, TUPLE_DADDR(af, key));
	addr_copy(af, k.daddr.ip6, FLOW_DADDR(af, f));
	t = bpf_map_lookup_elem(&kernel_traffic, &k);
	if (t)
		return t;
	bpf_map_update_elem(&kernel_traffic, &k, (void *)&no_traffic, BPF_NOEXIST);
	return bpf_map_lookup_elem(&kernel_traffic, &k);
}

/* key: the forward flow's, f that flow, rep its peer or NULL. */
static __always_inline void traffic_fold(const int af, const union tuple *key, const union flow *f,
					 const union flow *rep)
{
	struct ivb_traffic *t = traffic_account(af, key, f);

	if (!t)
		return;
	__sync_fetch_and_add(&t->conns, 1);
	__sync_fetch_and_add(&t->in_packets, f->flow.packets);
	__sync_fetch_and_add(&t->in_bytes, f->flow.bytes);
	if (!rep)
		return;
	__sync_fetch_and_add(&t->out_packets, rep->flow.packets);
	__sync_fetch_and_add(&t->out_bytes, rep->flow.bytes);
}

/* By themselves for the stack's sake: connections are removed deep in the programs. */
GLOBAL int traffic_fold4(const struct ivb_tuple4 *key, const struct ivb_flow4 *f,
			 const struct ivb_flow4 *rep)
{
	if (key && f)
		traffic_fold(AF_INET, (const union tuple *)key, (const union flow *)f,
			     (const union flow *)rep);
	return 0;
}

GLOBAL int traffic_fold6(const struct ivb_tuple6 *key, const struct ivb_flow6 *f,
			 const struct ivb_flow6 *rep)
{
	if (key && f)
		traffic_fold(AF_INET6, (const union tuple *)key, (const union flow *)f,
			     (const union flow *)rep);
	return 0;
}

#define TRAFFIC_FOLD(af, key, f, rep)                                               \
	((af) == AF_INET ? traffic_fold4(&(key)->v4, (const struct ivb_flow4 *)(f), \
					 (const struct ivb_flow4 *)(rep))           \
			 : traffic_fold6(&(key)->v6, (const struct ivb_flow6 *)(f), \
					 (const struct ivb_flow6 *)(rep)))

/* The traffic of a flow that ends goes to its server's account. */
static __always_inline void flow_fold(const struct ivb_flow *f)
{
	struct ivb_dest_conns *c = dest_counts(f->dest);

	if (!c || f->flags & IVB_FLOW_KERNEL)
		return;
	if (f->flags & IVB_FLOW_REPLY) {
		__sync_fetch_and_add(&c->out_packets, f->packets);
		__sync_fetch_and_add(&c->out_bytes, f->bytes);
	} else {
		__sync_fetch_and_add(&c->in_packets, f->packets);
		__sync_fetch_and_add(&c->in_bytes, f->bytes);
	}
}

/* Removes a flow if it is still this connection's. */
static __always_inline void flow_remove(const int af, const union tuple *key, __u32 id, __u32 gen)
{
	union flow *f = bpf_map_lookup_elem(MAP_OF(af, flows), key);

	if (!f || f->flow.conn != id || f->flow.conn_gen != gen)
		return;
	flow_fold(&f->flow);
	bpf_map_delete_elem(MAP_OF(af, flows), key);
}

/* What is kept of a connection of kernel IPVS's beside its flows. */
static __always_inline void kernel_forget(const int af, struct ivb_conn *c, const union tuple *key,
					  const union flow *f, const union tuple *peer, __u32 id)
{
	__u64 cp = c->cp;
	struct ivb_kernel_conn *kc = bpf_map_lookup_elem(&kernel_conns, &cp);

	TRAFFIC_FOLD(af, key, f, bpf_map_lookup_elem(MAP_OF(af, flows), peer));
	if (reply_counts(f))
		FLOW_LEAVE(af, key, f);
	if (kc && kc->af == af && kc->conn == id && kc->gen == c->gen)
		bpf_map_delete_elem(&kernel_conns, &cp);
}

/*
 * Removes both flows of a connection whose stamp the caller has set to IVB_CLOCK_BUSY, and frees
 * the slot. Returns false if the flows were gone already (the slot was stale).
 */
static __always_inline bool conn_remove(const int af, __u32 id)
{
	struct ivb_conn *c = conn_get(af, id);
	union tuple key, peer;
	bool found = false;
	__u32 gen, state;
	union flow *f;

	if (!c)
		return false;
	gen = c->gen;
	conn_key(af, c, &key);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	if (f && f->flow.conn == id && f->flow.conn_gen == gen) {
		found = true;
		flow_peer_key(af, f, tuple_proto(af, &key), &peer);
		/* The expiry timer runs the programs of one zone for all of them. */
		tuple_copy_zone(af, &peer, &key);
		if (c->state & IVB_CONN_KERNEL)
			kernel_forget(af, c, &key, f, &peer, id);
		flow_remove(af, &peer, id, gen);
		if (f->flow.flags & IVB_FLOW_SNAT)
			PORT_RELEASE(af, f, &key);
		/*
		 * Nobody moves a state of NONE, so the counts are this CPU's from here; who has
		 * evicted a half-open connection has counted already.
		 */
		state = __sync_lock_test_and_set(&c->state, IVB_S_NONE);
		if (state && !(state & IVB_CONN_KERNEL))
			dest_count(c->dest, state, -1);
		if (!(state & IVB_CONN_KERNEL))
			dest_relieve(c->dest);
		flow_remove(af, &key, id, gen);
	}
	/* Who still holds this connection's flow must not take the slot's next one for it. */
	WRITE_ONCE(c->gen, gen + 1 ? gen + 1 : 1);
	slot_free(af, id);
	return found;
}

GLOBAL int conn_remove4(__u32 id)
{
	return conn_remove(AF_INET, id);
}

GLOBAL int conn_remove6(__u32 id)
{
	return conn_remove(AF_INET6, id);
}

/*
 * Claims and removes the connection of that generation now. False: somebody else is at it, or has
 * been: the slot may have been given to a connection that is being made, with the same stamp.
 */
static __always_inline bool conn_kill(const int af, __u32 id, __u32 gen)
{
	__u32 *stamp = clock_stamp(af, id), seen;
	struct ivb_conn *c = conn_get(af, id);

	if (!stamp || !c)
		return false;
	seen = READ_ONCE(*stamp);
	if (seen <= IVB_CLOCK_BUSY ||
	    __sync_val_compare_and_swap(stamp, seen, IVB_CLOCK_BUSY) != seen)
		return false;
	if (READ_ONCE(c->gen) != gen) {
		WRITE_ONCE(*stamp, seen);
		return false;
	}
	BY_AF(af, conn_remove, id);
	return true;
}

#endif
