/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of kernel IPVS's become ours (the ipvs engine): what a note says of one, as a pair of
 * flows, with SNAT where its service's policy wants it.
 */
#ifndef IVB_ENGINE_IPVS_ADOPT_CONN_H
#define IVB_ENGINE_IPVS_ADOPT_CONN_H

#include "lib/address.h"
#include "lib/hold.h"
#include "engine_ipvs/join.h"
#include "engine_ipvs/note.h"

static __always_inline __u32 stamp_or_one(__u32 jiffies)
{
	return jiffies ? jiffies : 1;
}

static __always_inline void note_key(const int af, const struct note *n, union tuple *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	addr_copy(af, TUPLE_SADDR(af, key), n->caddr.ip6);
	addr_copy(af, TUPLE_DADDR(af, key), n->vaddr.ip6);
	TUPLE_SPORT(af, key) = n->cport;
	TUPLE_DPORT(af, key) = n->vport;
	tuple_set_proto(af, key, n->proto);
}

/* Fills a pair from a note, without SNAT and without a lease. */
static __always_inline void note_pair(const int af, const struct note *n, struct pair *pair)
{
	*pair = (struct pair){
		.cp = n->cp,
		.service = n->epoch,
		.dest = n->dest,
		.state = IVB_CONN_KERNEL | n->state,
		.timeout = n->timeout + IVB_KERNEL_GRACE_S * ivb_hz,
		.port = n->dport,
		.flags = IVB_FLOW_KERNEL | (n->flags & NOTE_DIRECT ? IVB_FLOW_DIRECT : 0) |
			 (n->flags & NOTE_TUNNEL ? IVB_FLOW_TUNNEL : 0),
	};
	addr_copy(af, pair->source.ip6, n->caddr.ip6);
	addr_copy(af, pair->server.ip6, n->daddr.ip6);
}

static __always_inline __u32 kernel_policy(const int af, const struct ivb_config *cfg,
					   const struct note *n)
{
	/* kernel IPVS knows no zones */
	struct ivb_service_key k = { .port = n->vport, .proto = n->proto, .af = af };
	__u32 *own;

	if (!(cfg->flags & IVB_CONFIG_SNAT_OWN))
		return cfg->snat;
	addr_copy(af, k.addr.ip6, n->vaddr.ip6);
	own = bpf_map_lookup_elem(&ivb_kernel_snat, &k);
	return own ? *own : cfg->snat;
}

/* enum ivb_kernel_conn_flags of what is known of the connection already. */
static __always_inline __u16 kernel_conn_flags(const struct note *n)
{
	__u64 cp = n->cp;
	struct ivb_kernel_conn *kc = bpf_map_lookup_elem(&ivb_kernel_conns, &cp);

	return kc ? kc->flags : 0;
}

/* Whether the connection is to have SNAT: only from its beginning. */
static __always_inline bool kernel_wants_snat(const int af, const struct ivb_config *cfg,
					      const struct note *n, __u16 known)
{
	if (n->flags & NOTE_DIRECT || known & IVB_KERNEL_EXISTED)
		return false;
	return snat_wanted(af, kernel_policy(af, cfg, n), n->caddr.ip6, n->daddr.ip6);
}

static __always_inline void kernel_remember(const int af, const struct note *n,
					    const struct pair *pair, __u16 known)
{
	struct ivb_kernel_conn kc = {
		.conn = pair->conn,
		.gen = pair->gen,
		.synced = n->flags & NOTE_SYNCED ? stamp_or_one(bpf_jiffies64()) : 0,
		.flags = known,
		.af = af,
	};
	__u64 cp = n->cp;

	bpf_map_update_elem(&ivb_kernel_conns, &cp, &kc, BPF_ANY);
}

/*
 * Without SNAT the server sees the client's port itself, which the client may use anew through
 * another virtual address: then replies are the newer connection's, as kernel IPVS finds it first.
 * False: they are the bpf engine's, or somebody is removing the older one.
 */
static __always_inline bool kernel_supersede(const int af, const struct note *n)
{
	union tuple reply;
	union flow *f;

	__builtin_memset(&reply, 0, sizeof(reply));
	addr_copy(af, TUPLE_SADDR(af, &reply), n->daddr.ip6);
	addr_copy(af, TUPLE_DADDR(af, &reply), n->caddr.ip6);
	TUPLE_SPORT(af, &reply) = n->dport;
	TUPLE_DPORT(af, &reply) = n->cport;
	tuple_set_proto(af, &reply, n->proto);
	f = bpf_map_lookup_elem(MAP_OF(af, flows), &reply);
	return !f ||
	       (f->flow.flags & IVB_FLOW_KERNEL && conn_kill(af, f->flow.conn, f->flow.conn_gen));
}

/*
 * Whether FIN and RST are carried, with a copy for kernel IPVS. That is so where conntrack is at
 * work: it knows nothing of our connections, and a firewall may drop what it calls invalid. Else
 * they go the slow way, which costs half. A SYN tells, as conntrack makes an entry for it whatever
 * its settings; if conntrack comes to life later, any packet of a client's tells.
 */
static __always_inline bool kernel_copies(const struct note *n)
{
	return !(n->flags & NOTE_NO_CT) || n->state != IVB_S_SYN_RECV;
}

/* The lease of replies until one of them has come by here: a second at most. */
static __always_inline __u32 lease_of_replies(const struct note *n)
{
	return n->lease < ivb_hz ? n->lease : ivb_hz;
}

/*
 * Grants the first leases, to both directions, with the first packet of a client's that we see.
 * While a backup does not know of the connection there is none.
 */
static __always_inline void kernel_first_lease(const struct note *n, struct pair *pair)
{
	__u32 now = bpf_jiffies64();

	if (!n->lease || (n->flags & (NOTE_MASTER | NOTE_SYNCED)) == NOTE_MASTER)
		return;
	pair->seen = stamp_or_one(now + n->lease);
	pair->seen_reply = stamp_or_one(now + lease_of_replies(n));
}

/* Chooses the address that the server will see, by the device that the packet leaves by. */
static __always_inline int kernel_source(struct ivb_ctx *ctx, const int af,
					 const struct ivb_config *cfg, const union tuple *key,
					 struct pair *pair)
{
	const __be32 *own = snat_pool(af, cfg, key, &pair->server, pair->port);

	pair->flags |= IVB_FLOW_SNAT;
	if (own) {
		addr_copy(af, pair->source.ip6, own);
		return 0;
	}
	return BY_AF(af, address_source, ctx, &pair->server, &pair->source) ? 0
									    : -IVB_R_NO_SNAT_ADDR;
}

/* Removes a connection that could not be counted, and with it no other's count. */
static __always_inline void pair_undo(const int af, const union tuple *key, const struct pair *pair)
{
	union flow *f = bpf_map_lookup_elem(MAP_OF(af, flows), key);

	if (f && f->flow.conn == pair->conn && f->flow.conn_gen == pair->gen)
		f->flow.flags |= IVB_FLOW_UNCOUNTED;
	conn_kill(af, pair->conn, pair->gen);
}

/* Makes the connection, as CONN_CREATE() does, and has its replies known. ctx: or NULL. */
static __always_inline int kernel_pair_create(struct ivb_ctx *ctx, const int af,
					      const struct note *n, const union tuple *key,
					      struct pair *pair, __u16 known)
{
	int r = ctx ? CONN_CREATE(ctx, af, pair, key) : CONN_ADOPT(af, pair, key);

	if (r)
		return r;
	if (!(pair->flags & IVB_FLOW_DIRECT) &&
	    !(af == AF_INET ? pair_join4(&key->v4, pair) : pair_join6(&key->v6, pair))) {
		pair_undo(af, key, pair);
		return -IVB_R_MAP_FULL;
	}
	kernel_remember(af, n, pair, known);
	return 0;
}

/*
 * Makes the connection of a note. IVB_CREATED: it is there (pair->gen: made by this CPU, as *pair
 * says); IVB_NEXT: not ours; or a reason.
 */
static __always_inline int kernel_conn_create(struct ivb_ctx *ctx, const int af,
					      const struct note *n, const union tuple *key,
					      struct pair *pair)
{
	__u32 iif = ctx_iif(ctx), zero = 0;
	struct ivb_config *cfg = bpf_map_lookup_elem(&ivb_config, &zero);
	struct ivb_dev *in = bpf_map_lookup_elem(&ivb_devs, &iif);
	__u16 known = kernel_conn_flags(n);
	bool snat;
	int r;

	if (!cfg || (in && in->zone != ivb_zone))
		return IVB_NEXT;
	snat = kernel_wants_snat(af, cfg, n, known);
	/* another version's to be, with SNAT from its first packet */
	if (conns_on_hold())
		return snat ? -IVB_R_TAKEOVER : IVB_NEXT;
	if (cfg->flags & IVB_CONFIG_DRAIN)
		return IVB_NEXT;
	note_pair(af, n, pair);
	pair->flags |= (iif ? 0 : IVB_FLOW_LOCAL) | (kernel_copies(n) ? IVB_FLOW_COPY : 0);
	kernel_first_lease(n, pair);
	if (snat) {
		r = kernel_source(ctx, af, cfg, key, pair);
		if (r)
			return r;
	} else if (!(n->flags & NOTE_DIRECT) && !kernel_supersede(af, n)) {
		return IVB_NEXT;
	}
	r = kernel_pair_create(ctx, af, n, key, pair, known);
	/* Without SNAT kernel IPVS can do without us. */
	if (r < 0)
		return pair->flags & IVB_FLOW_SNAT ? r : IVB_NEXT;
	return IVB_CREATED;
}

#endif
