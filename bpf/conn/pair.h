/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The making of a connection's two flows, whoever scheduled it. The reply flow is inserted first
 * and reserves the SNAT port; the forward flow's insertion decides between two CPUs that see the
 * same first packet, and the loser takes back what it made.
 */
#ifndef IVB_CONN_PAIR_H
#define IVB_CONN_PAIR_H

#include <asm-generic/errno-base.h>

#include "conn/conn.h"
#include "snat/host.h"
#include "xmit/nexthop.h"
#include "snat/snat.h"

/* What the flows are made of. */
struct pair {
	union ivb_addr source; /* that the server will see */
	union ivb_addr server;
	union {
		__u64 cp;  /* IVB_FLOW_KERNEL: whose it is */
		__u32 len; /* else: of the packet that makes it, which is counted at once */
	};
	__u32 service; /* slot; IVB_FLOW_KERNEL: epoch */
	__u32 dest;
	__u32 state;   /* of the connection, first */
	__u32 timeout; /* jiffies */
	__u32 seen;    /* first last_seen, or lease, of the forward flow */
	__u32 seen_reply;
	__be16 port; /* the server's */
	__u16 flags; /* enum ivb_flow_flags of both */
	__u32 conn;  /* id, gen and the source's port: set by conn_create() */
	__u32 gen;   /* 0 if another CPU was first */
	__be16 sport;
};

/* Fills both flows but for the tags and the reply's port. */
static __always_inline void flows_fill(const int af, const struct pair *pair,
				       const union tuple *key, union flow *fwd, union flow *rep)
{
	const __be32 *client = TUPLE_SADDR(af, key), *vip = TUPLE_DADDR(af, key);
	const __be32 *source = pair->source.ip6, *server = pair->server.ip6;

	fwd->flow.conn = rep->flow.conn = pair->conn;
	fwd->flow.conn_gen = rep->flow.conn_gen = pair->gen;
	fwd->flow.service = rep->flow.service = pair->service;
	fwd->flow.dest = rep->flow.dest = pair->dest;
	fwd->flow.last_seen = pair->seen;
	rep->flow.last_seen = pair->seen_reply;
	if (!(pair->flags & IVB_FLOW_KERNEL)) {
		fwd->flow.packets = 1;
		fwd->flow.bytes = pair->len;
	}
	fwd->flow.flags = pair->flags;
	rep->flow.flags = pair->flags | IVB_FLOW_REPLY;
	if (pair->state == IVB_S_UDP) /* only an answer says anything of it */
		fwd->flow.flags |= IVB_FLOW_ESTABLISHED;
	addr_copy(af, FLOW_SADDR(af, fwd), source);
	addr_copy(af, FLOW_DADDR(af, fwd), server);
	addr_copy(af, FLOW_SADDR(af, rep), vip);
	addr_copy(af, FLOW_DADDR(af, rep), client);
	fwd->flow.nexthop = nexthop_index(af, source, server);
	rep->flow.nexthop = nexthop_index(af, vip, client);
	fwd->flow.dport = pair->port;
	rep->flow.sport = TUPLE_DPORT(af, key);
	rep->flow.dport = TUPLE_SPORT(af, key);
	fwd->flow.addr_delta =
		csum_fold(addr_delta(af, client, source) + addr_delta(af, vip, server));
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
 * Of what bpf_map_update_elem() returns: an int. Up to 6.3 the upper half of the register is not
 * the sign's, so it must not be kept in a long, which is what the helper's declaration says.
 */
static __always_inline int insert_reason(int r)
{
	return r == -EEXIST ? -IVB_R_NO_PORT : -IVB_R_MAP_FULL;
}

/*
 * Inserts the reply flow with this source port of the forward flow's. What the insertion says. ctx:
 * where the host's own sockets may have the port as well, else NULL.
 */
static __always_inline int reply_try(struct ivb_ctx *ctx, const int af, const union tuple *key,
				     struct scratch *s, const struct ivb_config *cfg, __u32 port)
{
	flows_set_port(af, key, bpf_htons(port), &s->fwd, &s->rep);
	flow_peer_key(af, &s->fwd, tuple_proto(af, key), &s->rkey);
	if (ctx && cfg->flags & IVB_CONFIG_HOST_PORTS &&
	    (af == AF_INET ? host_has4(ctx, &s->rkey.v4) : host_has6(ctx, &s->rkey.v6)))
		return -EEXIST;
	s->rep.flow.tag = tuple_tag(af, &s->rkey);
	return bpf_map_update_elem(MAP_OF(af, flows), &s->rkey, &s->rep, BPF_NOEXIST);
}

/* The bitmap of the pair's address and server, made if make says so. NULL: there is none. */
static __always_inline struct ivb_port_map *port_map(const struct ivb_port_key *k, bool make)
{
	struct ivb_port_map *m = bpf_map_lookup_elem(&port_maps, k), *blank;
	__u32 zero = 0;

	if (m || !make)
		return m;
	blank = bpf_map_lookup_elem(&port_blank, &zero);
	if (!blank)
		return NULL;
	bpf_map_update_elem(&port_maps, k, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&port_maps, k);
}

/* The client's own port, or one by the key. */
static __always_inline int reply_preferred(struct ivb_ctx *ctx, const int af,
					   const union tuple *key, struct scratch *s,
					   const struct ivb_config *cfg, __u32 hash,
					   struct ivb_port_map *m)
{
	__u32 try, port;
	int r = -EEXIST;

	for (try = 0; try < PREFERRED_TRIES && r == -EEXIST; try++) {
		port = port_preferred(cfg, hash, bpf_ntohs(TUPLE_SPORT(af, key)), try);
		if (!port || (m && port_used(m, port)))
			continue;
		r = reply_try(ctx, af, key, s, cfg, port);
		if (!r && m)
			port_mark(m, port);
	}
	return r;
}

/*
 * Ports that nobody has, as far as the bitmap knows; those that somebody has all the same stay
 * marked. They may lie in a pattern, as clients' ports do, so the search does not follow one.
 */
static __always_inline int reply_free(struct ivb_ctx *ctx, const int af, const union tuple *key,
				      struct scratch *s, const struct ivb_config *cfg,
				      struct ivb_port_map *m)
{
	__u32 try, port;
	int r = -EEXIST;

	for (try = 0; try < FREE_TRIES && r == -EEXIST; try++) {
		port = port_free(m, try >= FREE_TRIES_NEXT);
		if (!port)
			continue;
		r = reply_try(ctx, af, key, s, cfg, port);
		if (r == -EEXIST && try < FREE_TRIES_NEXT)
			m->cursor = port | 63; /* not known of, as its neighbours, perhaps */
		else if (r && r != -EEXIST)
			port_unmark(m, port);
	}
	return r;
}

/* Finds a port with which the reply flow is free, and inserts that flow. */
static __always_inline int reply_snat(struct ivb_ctx *ctx, const int af, const struct pair *pair,
				      const union tuple *key, struct scratch *s,
				      const struct ivb_config *cfg)
{
	struct ivb_port_map *m;
	__u32 hash = port_hash(af, cfg, key);
	struct ivb_port_key *k = &s->pkey;
	int r;

	port_key(af, k, pair->source.ip6, pair->server.ip6, pair->port, tuple_proto(af, key),
		 ivb_zone);
	m = port_map(k, !(hash & PORT_MAP_ONE_IN) || cfg->num_snat_ports < PORTS_MANY);
	r = reply_preferred(ctx, af, key, s, cfg, hash, m);
	if (r == -EEXIST && cfg->num_snat_ports) {
		m = m ? m : port_map(k, true);
		if (m)
			r = reply_free(ctx, af, key, s, cfg, m);
	}
	if (m)
		ports_note_half(m, cfg->num_snat_ports);
	if (m && m->free < PORTS_FEW(cfg->num_snat_ports))
		port_wanted(k);
	return r;
}

/* Inserts the reply flow, which reserves the port. */
static __always_inline int reply_insert(struct ivb_ctx *ctx, const int af, struct pair *pair,
					const union tuple *key, struct scratch *s)
{
	struct ivb_config *cfg;
	__u32 zero = 0;
	int r;

	if (pair->flags & IVB_FLOW_SNAT) {
		cfg = bpf_map_lookup_elem(&config, &zero);
		r = cfg ? reply_snat(ctx, af, pair, key, s, cfg) : -EEXIST;
	} else {
		r = reply_try(NULL, af, key, s, NULL, bpf_ntohs(TUPLE_SPORT(af, key)));
	}
	pair->sport = s->fwd.flow.sport;
	return r ? insert_reason(r) : 0;
}

/* The port of a pair that is not made after all. */
static __always_inline void port_give_back(const struct scratch *s)
{
	struct ivb_port_map *m = bpf_map_lookup_elem(&port_maps, &s->pkey);

	if (m)
		port_unmark(m, bpf_ntohs(s->fwd.flow.sport));
}

/* Takes a connection slot and writes what belongs to it. */
static __always_inline int conn_begin(const int af, struct pair *pair, const union tuple *key)
{
	__u32 timeout =
		pair->timeout > ivb_hz ? pair->timeout : ivb_hz; /* it has to be made first */
	struct ivb_conn *c;

	pair->conn = BY_AF(af, slot_alloc, stamp_at((__u32)bpf_jiffies64() + timeout));
	if (pair->conn == IVB_NONE)
		return -IVB_R_MAP_FULL;
	c = conn_get(af, pair->conn);
	if (!c)
		return -IVB_R_MAP_FULL;
	pair->gen = c->gen + 1 ? c->gen + 1 : 1;
	WRITE_ONCE(c->gen, pair->gen);
	c->state = pair->state;
	if (pair->flags & IVB_FLOW_KERNEL) {
		c->cp = pair->cp;
	} else {
		c->service = pair->service;
		c->dest = pair->dest;
	}
	if (af == AF_INET)
		((struct ivb_conn4 *)c)->key = key->v4;
	else
		((struct ivb_conn6 *)c)->key = key->v6;
	return 0;
}

/*
 * Makes the connection: 0, IVB_CREATED if another CPU was first and its flow is there, or a reason.
 */
static __always_inline int conn_create(struct ivb_ctx *ctx, const int af, struct pair *pair,
				       const union tuple *key)
{
	struct scratch *s = scratch_get();
	int r;

	if (!s)
		return -IVB_R_RACE;
	r = conn_begin(af, pair, key);
	if (r)
		return r;
	flows_fill(af, pair, key, &s->fwd, &s->rep);
	r = reply_insert(ctx, af, pair, key, s);
	if (r) {
		slot_free(af, pair->conn);
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
		if (pair->flags & IVB_FLOW_SNAT)
			port_give_back(s);
		slot_free(af, pair->conn);
		pair->gen = 0;
		return r == -EEXIST ? IVB_CREATED : -IVB_R_MAP_FULL;
	}
	return 0;
}

GLOBAL int conn_create4(struct ivb_ctx *ctx, struct pair *pair, const struct ivb_tuple4 *key)
{
	return pair && key ? conn_create(ctx, AF_INET, pair, (const union tuple *)key)
			   : -IVB_R_RACE;
}

GLOBAL int conn_create6(struct ivb_ctx *ctx, struct pair *pair, const struct ivb_tuple6 *key)
{
	return pair && key ? conn_create(ctx, AF_INET6, pair, (const union tuple *)key)
			   : -IVB_R_RACE;
}

/* For hooks on the kernel, which have no packet by which to ask for the host's sockets. */
GLOBAL int conn_adopt4(struct pair *pair, const struct ivb_tuple4 *key)
{
	return pair && key ? conn_create(NULL, AF_INET, pair, (const union tuple *)key)
			   : -IVB_R_RACE;
}

GLOBAL int conn_adopt6(struct pair *pair, const struct ivb_tuple6 *key)
{
	return pair && key ? conn_create(NULL, AF_INET6, pair, (const union tuple *)key)
			   : -IVB_R_RACE;
}

/* The key is a union tuple's. */
#define CONN_CREATE(ctx, af, pair, key)                        \
	((af) == AF_INET ? conn_create4(ctx, pair, &(key)->v4) \
			 : conn_create6(ctx, pair, &(key)->v6))
#define CONN_ADOPT(af, pair, key) \
	((af) == AF_INET ? conn_adopt4(pair, &(key)->v4) : conn_adopt6(pair, &(key)->v6))

#endif
