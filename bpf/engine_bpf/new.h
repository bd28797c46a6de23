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
struct new_conn {
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
static __always_inline int route_attached(__u32 ifindex)
{
	struct ivb_dev *dev = bpf_map_lookup_elem(&devs, &ifindex);

	return dev && dev->zone == ivb_zone ? 0 : -IVB_R_DEV_UNATTACHED;
}

static __always_inline __u32 first_state(__u8 proto)
{
	return proto == IPPROTO_TCP ? IVB_S_SYN_RECV : IVB_S_UDP;
}

static __always_inline void conn_counted(const struct new_conn *nc, __u8 proto)
{
	struct ivb_dest_conns *c = dest_counts(nc->dest_slot);

	if (!c)
		return;
	__sync_fetch_and_add(&c->conns, 1);
	dest_count(nc->dest_slot, first_state(proto), 1);
	if (nc->dest->upper && c->active + c->inactive >= nc->dest->upper)
		WRITE_ONCE(c->overloaded, 1);
}

/*
 * IVB_MADE, or IVB_CREATED when another CPU was first: its flow is there then. With it, shifted,
 * the id, plus 1, of a half-open connection that has to go: not from here, for there is not stack
 * enough.
 */
#define IVB_DISPLACED_SHIFT 4
#define IVB_VERDICT_MASK ((1 << IVB_DISPLACED_SHIFT) - 1)
static __always_inline int new_conn_create(struct ivb_ctx *ctx, const int af,
					   const struct new_conn *nc, const union tuple *key,
					   const __be32 *source)
{
	__u8 proto = tuple_proto(af, key);
	__u32 state = first_state(proto);
	struct pair pair = {
		.port = nc->dest->port,
		.service = nc->svc->slot,
		.dest = nc->dest_slot,
		.state = state,
		.timeout = state_timeout(nc->svc->slot, state),
		.seen = nc->now,
		.seen_reply = nc->now,
		.len = nc->len,
		.flags = nc->snat ? IVB_FLOW_SNAT : 0,
	};
	int r;

	addr_copy(af, pair.source.ip6, source);
	addr_copy(af, pair.server.ip6, nc->dest->addr.ip6);
	r = CONN_CREATE(ctx, af, &pair, key);
	if (r)
		return r;
	conn_counted(nc, proto);
	r = BY_AF(af, half_open_enter, nc->cfg->max_half_open[FAMILY_INDEX(af)], pair.conn, state);
	return r << IVB_DISPLACED_SHIFT | IVB_MADE;
}

/*
 * The server for a new connection, as its scheduler says. While services are being changed, the
 * element of the service may have become another's, and the words of the ring speak of another's
 * server: a server knows whose it is.
 */
static __always_inline int new_conn_schedule(const int af, struct new_conn *nc,
					     const union tuple *key)
{
	nc->dest_slot = schedule(af, nc->svc, key);
	nc->dest = bpf_map_lookup_elem(&dests, &nc->dest_slot);
	if (!nc->dest)
		return -IVB_R_NO_DEST;
	if (nc->dest->service != nc->svc->slot || nc->dest->state != IVB_DEST_AVAILABLE ||
	    nc->dest->vport != TUPLE_DPORT(af, key) || nc->dest->proto != tuple_proto(af, key) ||
	    nc->dest->zone != ivb_zone || nc->dest->af != af ||
	    !addr_equal(af, nc->dest->vaddr.ip6, TUPLE_DADDR(af, key)))
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
 * *route is the answer, and the packet takes it.
 */
static __always_inline int new_conn_route(struct ivb_ctx *ctx, const int af,
					  const struct new_conn *nc, const union tuple *key,
					  const __be32 *source, struct route *route)
{
	struct route_query q = { .len = 1, .proto = tuple_proto(af, key), .dport = nc->dest->port };
	__u32 index = nexthop_index(af, source, nc->dest->addr.ip6);
	struct ivb_nexthop *nh;
	int r;

	nh = nexthop_fresh(af, index, nc->now, source, nc->dest->addr.ip6);
	if (nh)
		return route_attached(nh->ifindex);
	addr_copy(af, q.saddr, source);
	addr_copy(af, q.daddr, nc->dest->addr.ip6);
	r = BY_AF(af, route_lookup, ctx, &q, index, route);
	return r ? r : route_attached(route->ifindex);
}

/* A packet without a flow. */
static __always_inline int flow_miss(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				     const union tuple *key, struct route *route)
{
	struct new_conn nc = { .now = bpf_jiffies64(), .len = p->l3_len };
	const __be32 *source;
	__u32 zero = 0;
	bool local;
	int r;

	nc.svc = service_find(af, key);
	nc.cfg = bpf_map_lookup_elem(&config, &zero);
	if (!nc.svc || !nc.cfg)
		return IVB_NEXT;
	local = service_local(ctx, af, nc.svc->slot, TUPLE_DADDR(af, key));
	if (!local && !(nc.cfg->flags & IVB_CONFIG_ANY_VIP))
		return -IVB_R_PASS_NOT_LOCAL;
	if (nc.cfg->flags & IVB_CONFIG_DRAIN)
		return -IVB_R_PASS_DRAIN;
	if (!first_packet(p))
		return local ? -IVB_R_PASS_NOT_FIRST : -IVB_R_NO_FLOW;
	if (conns_on_hold())
		return -IVB_R_TAKEOVER;
	if (source_martian(af, key))
		return -IVB_R_MARTIAN;
	if (p->flags & IVB_PKT_SOURCE_ROUTE)
		return -IVB_R_IP_OPTIONS;
	r = half_open_admit(af, nc.cfg, key, nc.now);
	if (r)
		return r;
	r = new_conn_schedule(af, &nc, key);
	/* Nobody, or somebody else's: the service may have been changed under our hands. */
	if (r) {
		nc.svc = service_find(af, key);
		r = nc.svc ? new_conn_schedule(af, &nc, key) : r;
	}
	if (r)
		return r;
	nc.snat = snat_wanted(af, nc.svc->snat ? nc.svc->snat : nc.cfg->snat, TUPLE_SADDR(af, key),
			      nc.dest->addr.ip6);
	source = nc.snat ? snat_address(af, nc.cfg, key, nc.dest) : TUPLE_SADDR(af, key);
	if (!source)
		return -IVB_R_NO_SNAT_ADDR;
	r = new_conn_route(ctx, af, &nc, key, source, route);
	if (r)
		return r;
	return new_conn_create(ctx, af, &nc, key, source);
}

GLOBAL int flow_miss4(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_tuple4 *key,
		      struct route *route)
{
	return p && key && route ? flow_miss(ctx, AF_INET, p, (const union tuple *)key, route)
				 : IVB_NEXT;
}

GLOBAL int flow_miss6(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_tuple6 *key,
		      struct route *route)
{
	return p && key && route ? flow_miss(ctx, AF_INET6, p, (const union tuple *)key, route)
				 : IVB_NEXT;
}

#endif
