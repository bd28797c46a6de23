/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first packet of a connection of the bpf engine's: admission and scheduling. */
#ifndef IVB_ENGINE_BPF_NEW_H
#define IVB_ENGINE_BPF_NEW_H

#include "engine_bpf/half_open.h"
#include "lib/hold.h"
#include "conn/pair.h"
#include "engine_bpf/service.h"
#include "sched/sched.h"

/* Everything known of the connection that the bpf engine is making. */
struct birth {
	const struct ivb_config *cfg;
	const struct ivb_service *svc;
	const struct ivb_dest *dest;
	__u32 dest_slot;
	__u32 now;
	__u32 len; /* of the first packet */
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
	struct ivb_dev *dev = bpf_map_lookup_elem(&ivb_devs, &ifindex);

	return dev && dev->zone == ivb_zone ? 0 : -IVB_R_DEV_UNATTACHED;
}

static __always_inline __u32 first_state(__u8 proto)
{
	return proto == IPPROTO_TCP ? IVB_S_SYN_RECV : IVB_S_UDP;
}

static __always_inline void conn_counted(const struct birth *b, __u8 proto)
{
	struct ivb_dest_conns *c = dest_counts(b->dest_slot);

	if (!c)
		return;
	__sync_fetch_and_add(&c->conns, 1);
	dest_count(b->dest_slot, first_state(proto), 1);
	if (b->dest->upper && c->active + c->inactive >= b->dest->upper)
		WRITE_ONCE(c->overloaded, 1);
}

/*
 * IVB_MADE, or IVB_CREATED when another CPU was first: its flow is there then. With it, shifted,
 * the id, plus 1, of a half-open connection that has to go: not from here, for there is not stack
 * enough.
 */
#define IVB_DISPLACED_SHIFT 4
#define IVB_VERDICT_MASK ((1 << IVB_DISPLACED_SHIFT) - 1)
static __always_inline int birth_create(struct ivb_ctx *ctx, const int af, const struct birth *b,
					const union tuple *key, const __be32 *source)
{
	__u8 proto = tuple_proto(af, key);
	__u32 state = first_state(proto);
	struct pair pair = {
		.port = b->dest->port,
		.service = b->svc->slot,
		.dest = b->dest_slot,
		.state = state,
		.timeout = state_timeout(b->svc->slot, state),
		.seen = b->now,
		.seen_reply = b->now,
		.len = b->len,
		.flags = b->snat ? IVB_FLOW_SNAT : 0,
	};
	int r;

	addr_copy(af, pair.source.ip6, source);
	addr_copy(af, pair.server.ip6, b->dest->addr.ip6);
	r = CONN_CREATE(ctx, af, &pair, key);
	if (r)
		return r;
	conn_counted(b, proto);
	r = BY_AF(af, half_open_enter, b->cfg->max_half_open[FAMILY_INDEX(af)], pair.conn, state);
	return r << IVB_DISPLACED_SHIFT | IVB_MADE;
}

/*
 * The server for a new connection, as its scheduler says. While services are being changed, the
 * element of the service may have become another's, and the words of the ring speak of another's
 * server: a server knows whose it is.
 */
static __always_inline int birth_schedule(const int af, struct birth *b, const union tuple *key)
{
	b->dest_slot = schedule(af, b->svc, key);
	b->dest = bpf_map_lookup_elem(&ivb_dests, &b->dest_slot);
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
	struct birth b = { .now = bpf_jiffies64(), .len = p->l3_len };
	const __be32 *source;
	__u32 zero = 0;
	bool local;
	int r;

	b.svc = service_find(af, key);
	b.cfg = bpf_map_lookup_elem(&ivb_config, &zero);
	if (!b.svc || !b.cfg)
		return IVB_NEXT;
	local = service_local(ctx, af, b.svc->slot, TUPLE_DADDR(af, key));
	if (!local && !(b.cfg->flags & IVB_CONFIG_ANY_VIP))
		return -IVB_R_PASS_NOT_LOCAL;
	if (b.cfg->flags & IVB_CONFIG_DRAIN)
		return -IVB_R_PASS_DRAIN;
	if (!first_packet(p))
		return local ? -IVB_R_PASS_NOT_FIRST : -IVB_R_NO_FLOW;
	if (held())
		return -IVB_R_TAKEOVER;
	if (source_martian(af, key))
		return -IVB_R_MARTIAN;
	if (p->flags & IVB_PKT_SOURCE_ROUTE)
		return -IVB_R_IP_OPTIONS;
	r = half_open_admit(af, b.cfg, key, b.now);
	if (r)
		return r;
	r = birth_schedule(af, &b, key);
	/* Nobody, or somebody else's: the service may have been changed under our hands. */
	if (r) {
		b.svc = service_find(af, key);
		r = b.svc ? birth_schedule(af, &b, key) : r;
	}
	if (r)
		return r;
	b.snat = snat_wanted(af, b.svc->snat ? b.svc->snat : b.cfg->snat, TUPLE_SADDR(af, key),
			     b.dest->addr.ip6);
	source = b.snat ? snat_address(af, b.cfg, key, b.dest) : TUPLE_SADDR(af, key);
	if (!source)
		return -IVB_R_NO_SNAT_ADDR;
	r = birth_route(ctx, af, &b, key, source, way);
	if (r)
		return r;
	return birth_create(ctx, af, &b, key, source);
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
