/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first packet of a connection: admission, scheduling, and the making of both flows. The reply
 * flow is inserted first and reserves the SNAT port; the forward flow's insertion decides between
 * two CPUs that see the same first packet, and the loser takes back what it made.
 */
#ifndef IVB_PATH_NEW_H
#define IVB_PATH_NEW_H

#include <asm-generic/errno-base.h>

#include "path/conn.h"
#include "path/nexthop.h"
#include "path/service.h"
#include "path/snat.h"
#include "sched/ring.h"

/* Everything known of the connection that is being made. */
struct birth {
	const struct ivb_config *cfg;
	const struct ivb_service *svc;
	const struct ivb_dest *dest;
	__u32 dest_slot;
	__u32 conn;
	__u32 gen;
	__u32 now;
	bool snat;
};

/* RFC 1122 3.2.1.3, RFC 4291 2.7: addresses that nobody sends from; and our own. */
static __always_inline bool source_martian(const int af, const union tuple *key)
{
	const __be32 *s = TUPLE_SADDR(af, key);

	if (addr_equal(af, s, TUPLE_DADDR(af, key)))
		return true;
	if (af == AF_INET) {
		__u32 a = bpf_ntohl(s[0]);

		return a >> 24 == 0 || a >> 24 == 127 || a >> 28 >= 14;
	}
	return (bpf_ntohl(s[0]) >> 24) == 0xff || addr_zero(af, s) ||
	       (!s[0] && !s[1] && !s[2] && s[3] == bpf_htonl(1));
}

/* The device towards the server must be one of ours, in this zone: replies come back through it. */
static __always_inline int way_attached(__u32 ifindex)
{
	struct ivb_dev *dev = bpf_map_lookup_elem(&devs, &ifindex);

	return dev && dev->zone == ivb_zone ? 0 : -IVB_R_DEV_UNATTACHED;
}

/* Fills both flows but for the tags and the reply's port. */
static __always_inline void flows_fill(const int af, const struct birth *b, const union tuple *key,
				       const __be32 *source, union flow *fwd, union flow *rep)
{
	const __be32 *client = TUPLE_SADDR(af, key), *vip = TUPLE_DADDR(af, key);

	fwd->flow.conn = rep->flow.conn = b->conn;
	fwd->flow.conn_gen = rep->flow.conn_gen = b->gen;
	fwd->flow.service = rep->flow.service = b->svc->slot;
	fwd->flow.dest = rep->flow.dest = b->dest_slot;
	fwd->flow.last_seen = rep->flow.last_seen = b->now;
	fwd->flow.flags = b->snat ? IVB_FLOW_SNAT : 0;
	rep->flow.flags = fwd->flow.flags | IVB_FLOW_REPLY;
	addr_copy(af, FLOW_SADDR(af, fwd), source);
	addr_copy(af, FLOW_DADDR(af, fwd), b->dest->addr.ip6);
	addr_copy(af, FLOW_SADDR(af, rep), vip);
	addr_copy(af, FLOW_DADDR(af, rep), client);
	fwd->flow.nexthop = nexthop_index(af, source, b->dest->addr.ip6);
	rep->flow.nexthop = nexthop_index(af, vip, client);
	fwd->flow.dport = b->dest->port;
	rep->flow.sport = TUPLE_DPORT(af, key);
	rep->flow.dport = TUPLE_SPORT(af, key);
	fwd->flow.addr_delta =
		csum_fold(addr_delta(af, client, source) + addr_delta(af, vip, b->dest->addr.ip6));
	rep->flow.addr_delta = ~fwd->flow.addr_delta;
}

/* The forward source port, in both flows and their deltas. */
static __always_inline void flows_set_port(const int af, const union tuple *key, __be16 sport,
					   union flow *fwd, union flow *rep)
{
	__u32 from = TUPLE_SPORT(af, key) | (__u32)TUPLE_DPORT(af, key) << 16;

	fwd->flow.sport = sport;
	fwd->flow.tuple_delta = csum_fold(fwd->flow.addr_delta +
					  csum_word(from, sport | (__u32)fwd->flow.dport << 16));
	rep->flow.tuple_delta = ~fwd->flow.tuple_delta;
}

/*
 * Of what bpf_map_update_elem() returns: an int. Up to 6.3 the upper half of the register is not the
 * sign's, so it must not be kept in a long, which is what the helper's declaration says.
 */
static __always_inline int insert_reason(int r)
{
	return r == -EEXIST ? -IVB_R_NO_PORT : -IVB_R_MAP_FULL;
}

/* Finds a port with which the reply flow is free, and inserts that flow. */
static __always_inline int reply_insert(const int af, const struct birth *b, const union tuple *key,
					struct scratch *s)
{
	__u32 client_port = bpf_ntohs(TUPLE_SPORT(af, key)), hash, try, port;
	int r = -EEXIST;

	hash = b->snat ? port_hash(af, b->cfg, key) : 0;
	for (try = 0; try < PORT_TRIES; try++) {
		port = b->snat ? port_candidate(b->cfg, hash, client_port, try) : client_port;
		if (!port && b->snat)
			continue;
		flows_set_port(af, key, bpf_htons(port), &s->fwd, &s->rep);
		flow_peer_key(af, &s->fwd, tuple_proto(af, key), &s->rkey);
		s->rep.flow.tag = tuple_tag(af, &s->rkey);
		r = bpf_map_update_elem(MAP_OF(af, flows), &s->rkey, &s->rep, BPF_NOEXIST);
		if (r != -EEXIST || !b->snat)
			break;
	}
	return r ? insert_reason(r) : 0;
}

static __always_inline __u32 first_state(__u8 proto)
{
	return proto == IPPROTO_TCP ? IVB_S_SYN_RECV : IVB_S_UDP;
}

static __always_inline void conn_counted(__u32 dest, __u8 proto)
{
	struct ivb_dest_conns *c = dest_counts(dest);

	if (c)
		__sync_fetch_and_add(&c->conns, 1);
	dest_count(dest, first_state(proto), 1);
}

/* Takes a connection slot and writes what belongs to it. */
static __always_inline int conn_begin(const int af, struct birth *b, const union tuple *key)
{
	__u32 state = first_state(tuple_proto(af, key));
	struct ivb_conn *c;

	b->conn = BY_AF(af, slot_alloc, stamp_at(b->now + state_timeout(state)));
	if (b->conn == IVB_NONE)
		return -IVB_R_MAP_FULL;
	c = conn_get(af, b->conn);
	if (!c)
		return -IVB_R_MAP_FULL;
	b->gen = c->gen + 1 ? c->gen + 1 : 1;
	WRITE_ONCE(c->gen, b->gen);
	c->state = state;
	c->service = b->svc->slot;
	c->dest = b->dest_slot;
	if (af == AF_INET)
		((struct ivb_conn4 *)c)->key = key->v4;
	else
		((struct ivb_conn6 *)c)->key = key->v6;
	return 0;
}

/* Makes the connection. IVB_CREATED also when another CPU was first: its flow is there then. */
static __always_inline int conn_create(const int af, struct birth *b, const union tuple *key,
				       const __be32 *source)
{
	struct scratch *s = scratch_get();
	int r;

	if (!s)
		return -IVB_R_RACE;
	r = conn_begin(af, b, key);
	if (r)
		return r;
	flows_fill(af, b, key, source, &s->fwd, &s->rep);
	r = reply_insert(af, b, key, s);
	if (r) {
		slot_free(af, b->conn);
		return r;
	}
	if (af == AF_INET)
		s->key.v4 = key->v4;
	else
		s->key.v6 = key->v6;
	s->fwd.flow.tag = tuple_tag(af, key);
	r = bpf_map_update_elem(MAP_OF(af, flows), &s->key, &s->fwd, BPF_NOEXIST);
	if (r) {
		bpf_map_delete_elem(MAP_OF(af, flows), &s->rkey);
		slot_free(af, b->conn);
		return r == -EEXIST ? IVB_CREATED : -IVB_R_MAP_FULL;
	}
	conn_counted(b->dest_slot, tuple_proto(af, key));
	return IVB_CREATED;
}

/* Static, since what they are given points to map values; called once each. */
static __noinline int conn_create4(struct birth *b, const union tuple *key, const __be32 *source)
{
	return conn_create(AF_INET, b, key, source);
}

static __noinline int conn_create6(struct birth *b, const union tuple *key, const __be32 *source)
{
	return conn_create(AF_INET6, b, key, source);
}

/*
 * The server for a new connection, as its scheduler says. While services are being changed, the
 * element of the service may have become another's, and the position of the ring speak of another's
 * server: a server knows whose it is.
 */
static __always_inline int birth_schedule(const int af, struct birth *b, const union tuple *key)
{
	b->dest_slot = ring_schedule(b->svc->sched);
	b->dest = bpf_map_lookup_elem(&dests, &b->dest_slot);
	if (!b->dest)
		return -IVB_R_NO_DEST;
	if (b->dest->service != b->svc->slot || b->dest->state != IVB_DEST_AVAILABLE ||
	    b->dest->vport != TUPLE_DPORT(af, key) || b->dest->proto != tuple_proto(af, key) ||
	    b->dest->zone != ivb_zone || b->dest->af != af ||
	    !addr_equal(af, b->dest->vaddr.ip6, TUPLE_DADDR(af, key)))
		return -IVB_R_RACE;
	return 0;
}

static __always_inline bool first_packet(const struct ivb_pkt *p)
{
	if (p->flags & IVB_PKT_LATER) /* the rest of a datagram whose connection has ended */
		return false;
	return p->proto == IPPROTO_UDP ||
	       (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/*
 * Whether the way to the server is one that replies come back by. If the routing tables were asked,
 * *way is the answer, and the packet takes it.
 */
static __always_inline int birth_route(struct ivb_ctx *ctx, const int af, const struct birth *b,
				       const union tuple *key, const __be32 *source,
				       struct way *way)
{
	struct route_query q = { .len = 1, .proto = tuple_proto(af, key), .dport = b->dest->port };
	__u32 index = nexthop_index(af, source, b->dest->addr.ip6);
	struct ivb_nexthop *nh;
	int r;

	nh = nexthop_fresh(af, index, b->now, source, b->dest->addr.ip6);
	if (nh)
		return way_attached(nh->ifindex);
	addr_copy(af, q.saddr, source);
	addr_copy(af, q.daddr, b->dest->addr.ip6);
	r = BY_AF(af, route_lookup, ctx, &q, index, way);
	return r ? r : way_attached(way->ifindex);
}

/* A packet without a flow. */
static __always_inline int flow_miss(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     const union tuple *key, struct way *way)
{
	struct birth b = { .now = bpf_jiffies64() };
	const __be32 *source;
	__u32 zero = 0;
	bool local;
	int r;

	b.svc = service_find(af, key);
	b.cfg = bpf_map_lookup_elem(&config, &zero);
	if (!b.svc || !b.cfg)
		return IVB_NEXT;
	local = service_local(ctx, af, b.svc->slot, TUPLE_DADDR(af, key));
	if (!local && !(b.cfg->flags & IVB_CONFIG_ANY_VIP))
		return -IVB_R_PASS_NOT_LOCAL;
	if (!first_packet(p))
		return local ? -IVB_R_PASS_NOT_FIRST : -IVB_R_NO_FLOW;
	if (source_martian(af, key))
		return -IVB_R_MARTIAN;
	if (p->flags & IVB_PKT_SOURCE_ROUTE)
		return -IVB_R_IP_OPTIONS;
	r = birth_schedule(af, &b, key);
	if (r == -IVB_R_RACE) {
		b.svc = service_find(af, key);
		r = b.svc ? birth_schedule(af, &b, key) : r;
	}
	if (r)
		return r;
	b.snat = snat_wanted(af, b.cfg, b.svc, TUPLE_SADDR(af, key), b.dest);
	source = b.snat ? snat_address(af, b.cfg, b.dest) : TUPLE_SADDR(af, key);
	if (!source)
		return -IVB_R_NO_SNAT_ADDR;
	r = birth_route(ctx, af, &b, key, source, way);
	if (r)
		return r;
	return BY_AF(af, conn_create, &b, key, source);
}

GLOBAL int flow_miss4(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_tuple4 *key,
		      struct way *way)
{
	return p && key && way ? flow_miss(ctx, AF_INET, p, (const union tuple *)key, way)
			       : IVB_NEXT;
}

GLOBAL int flow_miss6(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_tuple6 *key,
		      struct way *way)
{
	return p && key && way ? flow_miss(ctx, AF_INET6, p, (const union tuple *)key, way)
			       : IVB_NEXT;
}

#endif
