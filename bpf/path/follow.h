/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that kernel IPVS has handled, on their way out (the ipvs engine): here its connections become
 * ours, get their SNAT, and have their leases renewed. That the packet has come as far as this is what
 * renews a lease: a firewall that drops such packets ends the carrying of their direction.
 */
#ifndef IVB_PATH_FOLLOW_H
#define IVB_PATH_FOLLOW_H

#include "path/address.h"
#include "path/headers.h"
#include "path/kernel.h"
#include "path/note.h"
#include "path/pair.h"

#define GRACE_S 90 /* beyond the kernel's timeout: then the end of the connection has been missed */

/* The connection that the note speaks of, as we have it. */
struct followed {
	struct ivb_conn *c;
	union flow *fwd;
	__u32 id;
};

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

static __always_inline bool flow_leads_to(const int af, const union flow *f, const struct note *n)
{
	return f->flow.dport == n->dport && addr_equal(af, FLOW_DADDR(af, f), n->daddr.ip6);
}

/*
 * Finds the connection by its forward key; what else stands there is an older one's, whose end we have
 * yet to hear of: it goes. -1: it cannot be ours now.
 */
static __always_inline int follow_find(const int af, const struct note *n, const union tuple *key,
				       struct followed *w)
{
	w->fwd = bpf_map_lookup_elem(MAP_OF(af, flows), key);
	if (!w->fwd)
		return 0;
	if (!(w->fwd->flow.flags & IVB_FLOW_KERNEL))
		return -1; /* the bpf engine's service wins */
	w->id = w->fwd->flow.conn;
	w->c = conn_get(af, w->id);
	if (w->c && w->c->gen == w->fwd->flow.conn_gen && w->c->cp == n->cp &&
	    flow_leads_to(af, w->fwd, n))
		return 0;
	w->fwd = NULL;
	return conn_kill(af, w->id) ? 0 : -1;
}

static __always_inline union flow *follow_peer(const int af, const struct note *n,
					       const struct followed *w)
{
	union tuple peer;
	union flow *rep;

	flow_peer_key(af, w->fwd, n->proto, &peer);
	rep = bpf_map_lookup_elem(MAP_OF(af, flows), &peer);
	return rep && rep->flow.conn == w->id && rep->flow.conn_gen == w->fwd->flow.conn_gen ? rep
											     : NULL;
}

static __always_inline void lease_set(struct ivb_flow *f, const struct note *n, __u32 now,
				      __u32 lease)
{
	WRITE_ONCE(f->epoch, n->epoch);
	WRITE_ONCE(f->lease, lease ? stamp_or_one(now + lease) : 0);
}

/*
 * While the sync daemon is master, its backup must hear of the connection twice in its lifetime; it does
 * so by what kernel IPVS sees.
 */
static __always_inline bool backup_knows(const struct note *n, __u32 now)
{
	__u64 cp = n->cp;
	struct ivb_kernel_conn *kc;

	if (!(n->flags & NOTE_MASTER))
		return true;
	kc = bpf_map_lookup_elem(&kernel_conns, &cp);
	if (!kc)
		return false;
	if (n->flags & NOTE_SYNCED)
		kc->synced = stamp_or_one(now);
	return kc->synced && now - kc->synced < n->timeout / 2;
}

/*
 * Where conntrack is at work it knows nothing of our connections, and a firewall may drop what it calls invalid:
 * there FIN and RST are carried, else they go the slow way, which costs half. What tells is a SYN, as conntrack
 * makes an entry for it whatever its settings; if it comes to life later, any packet of a client's does.
 */
static __always_inline bool follow_copies(const struct note *n)
{
	return !(n->flags & NOTE_NO_CT) || n->state != IVB_S_SYN_RECV;
}

static __always_inline void follow_conntrack(const struct note *n, union flow *fwd, union flow *rep)
{
	if (n->flags & (NOTE_NO_CT | NOTE_REPLY) || fwd->flow.flags & IVB_FLOW_COPY)
		return;
	fwd->flow.flags |= IVB_FLOW_COPY;
	rep->flow.flags |= IVB_FLOW_COPY;
}

/*
 * What the packet tells of its connection. The first packet from a client after the handshake also lets
 * replies through for a second: until then one of them must have come by here.
 */
static __always_inline void follow_note(const int af, const struct note *n,
					const struct followed *w, __u32 now)
{
	bool reply = n->flags & NOTE_REPLY;
	union flow *rep = follow_peer(af, n, w);

	WRITE_ONCE(w->c->state, IVB_CONN_KERNEL | n->state);
	conn_touch(af, w->id, now, n->timeout + GRACE_S * ivb_hz);
	if (!rep)
		return;
	follow_conntrack(n, w->fwd, rep);
	if (reply) {
		lease_set(&rep->flow, n, now, n->lease);
		return;
	}
	if (!backup_knows(n, now))
		return;
	lease_set(&w->fwd->flow, n, now, n->lease);
	if (n->lease && !rep->flow.lease)
		lease_set(&rep->flow, n, now, n->lease < ivb_hz ? n->lease : ivb_hz);
}

static __always_inline __u32 follow_policy(const int af, const struct ivb_config *cfg,
					   const struct note *n)
{
	/* kernel IPVS knows no zones */
	struct ivb_service_key k = { .port = n->vport, .proto = n->proto, .af = af };
	__u32 *own;

	addr_copy(af, k.addr.ip6, n->vaddr.ip6);
	own = bpf_map_lookup_elem(&kernel_snat, &k);
	return own ? *own : cfg->snat;
}

/* Whether the connection is to have SNAT: only from its beginning. */
static __always_inline bool follow_wants_snat(const int af, const struct ivb_config *cfg,
					      const struct note *n)
{
	__u64 cp = n->cp;
	struct ivb_kernel_conn *kc = bpf_map_lookup_elem(&kernel_conns, &cp);

	if (n->flags & NOTE_DIRECT || (kc && kc->flags & IVB_KERNEL_EXISTED))
		return false;
	return snat_wanted(af, follow_policy(af, cfg, n), n->caddr.ip6, n->daddr.ip6);
}

static __always_inline void kernel_remember(const int af, const struct note *n,
					    const struct pair *pair)
{
	struct ivb_kernel_conn kc = { .conn = pair->conn, .gen = pair->gen, .af = af };
	__u64 cp = n->cp;
	struct ivb_kernel_conn *old = bpf_map_lookup_elem(&kernel_conns, &cp);

	if (old)
		kc.flags = old->flags;
	bpf_map_update_elem(&kernel_conns, &cp, &kc, BPF_ANY);
}

/*
 * Without SNAT the server sees the client's port itself, which the client may use anew through another
 * virtual address: then replies are the newer connection's, as kernel IPVS finds it first. False: they are
 * the bpf engine's, or somebody is removing the older one.
 */
static __always_inline bool follow_supersede(const int af, const struct note *n)
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
	return !f || (f->flow.flags & IVB_FLOW_KERNEL && conn_kill(af, f->flow.conn));
}

/* A connection that we do not have yet: IVB_CREATED if it is there now, IVB_NEXT: not ours; or a reason. */
static __always_inline int follow_create(struct ivb_ctx *ctx, const int af, const struct note *n,
					 const union tuple *key)
{
	__u32 zero = 0, iif = ctx_iif(ctx);
	struct ivb_dev *in = bpf_map_lookup_elem(&devs, &iif);
	union ivb_addr own = {};
	struct pair pair = {
		.server = n->daddr.ip6,
		.source = n->caddr.ip6,
		.cp = n->cp,
		.service = n->epoch,
		.dest = n->dest,
		.state = IVB_CONN_KERNEL | n->state,
		.timeout = n->timeout + GRACE_S * ivb_hz,
		.port = n->dport,
		.flags = IVB_FLOW_KERNEL | (iif ? 0 : IVB_FLOW_LOCAL) |
			 (follow_copies(n) ? IVB_FLOW_COPY : 0) |
			 (n->flags & NOTE_DIRECT ? IVB_FLOW_DIRECT : 0),
	};
	int r;

	pair.cfg = bpf_map_lookup_elem(&config, &zero);
	if (!pair.cfg || pair.cfg->flags & IVB_CONFIG_DRAIN || (in && in->zone != ivb_zone))
		return IVB_NEXT;
	if (follow_wants_snat(af, pair.cfg, n)) {
		pair.flags |= IVB_FLOW_SNAT;
		pair.source = af == AF_INET ? pair.cfg->snat_addr4.ip6 : pair.cfg->snat_addr6.ip6;
		if (addr_zero(af, pair.source)) {
			if (!BY_AF(af, address_source, ctx, &n->daddr, &own))
				return -IVB_R_NO_SNAT_ADDR;
			pair.source = own.ip6;
		}
	} else if (!(n->flags & NOTE_DIRECT) && !follow_supersede(af, n)) {
		return IVB_NEXT;
	}
	r = BY_AF(af, conn_create, &pair, key);
	if (!r)
		kernel_remember(af, n, &pair);
	/* Without SNAT kernel IPVS can do without us. */
	if (r < 0)
		return pair.flags & IVB_FLOW_SNAT ? r : IVB_NEXT;
	return IVB_CREATED;
}

/* A packet with headers and tuple, and what becomes of it; a CPU's, for want of stack. */
struct leaving {
	struct ivb_pkt p;
	union tuple is;
	union flow to;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct leaving);
	__uint(max_entries, 1);
} leaving SEC(".maps");

/*
 * Whether the note can speak of the packet. Of a fragmented datagram the later ones are known by its id,
 * which the first one has left in the note.
 */
static __always_inline bool note_matches(const int af, struct note *n, const struct leaving *l)
{
	const bool reply = n->flags & NOTE_REPLY;
	const __be32 *from = reply ? n->vaddr.ip6 : n->caddr.ip6;
	const __be32 *server = n->flags & NOTE_DIRECT ? n->vaddr.ip6 : n->daddr.ip6;
	const __be32 *to = reply ? n->caddr.ip6 : server;
	__be16 sport = reply ? n->vport : n->cport, dport = reply ? n->cport : n->dport;

	if (n->flags & NOTE_LEAVE)
		return true;
	if (n->af != af || !addr_equal(af, TUPLE_SADDR(af, &l->is), from) ||
	    !addr_equal(af, TUPLE_DADDR(af, &l->is), to))
		return false;
	if (l->p.flags & IVB_PKT_LATER)
		return n->has_frag && n->frag_id == l->p.frag_id;
	if (TUPLE_SPORT(af, &l->is) != sport || TUPLE_DPORT(af, &l->is) != dport)
		return false;
	if (l->p.flags & IVB_PKT_FRAGMENT) {
		n->frag_id = l->p.frag_id;
		n->has_frag = 1;
	}
	return true;
}

/* The packet of a note, which may leave (IVB_NEXT), or a reason. */
static __always_inline int follow_packet(struct ivb_ctx *ctx, const int af, struct note *n,
					 struct leaving *l)
{
	struct followed w = {};
	union tuple key;
	int r;

	if (n->flags & NOTE_LEAVE) {
		n->flags |= NOTE_DONE;
		return IVB_NEXT;
	}
	note_key(af, n, &key);
	if (follow_find(af, n, &key, &w))
		return IVB_NEXT;
	if (!w.fwd) {
		if (n->flags & NOTE_REPLY)
			return IVB_NEXT;
		r = follow_create(ctx, af, n, &key);
		if (r != IVB_CREATED)
			return r;
		if (follow_find(af, n, &key, &w) || !w.fwd)
			return -IVB_R_RACE;
	}
	if (!(n->flags & NOTE_DONE))
		follow_note(af, n, &w, bpf_jiffies64());
	n->flags |= NOTE_DONE;
	if (n->flags & NOTE_REPLY || !(w.fwd->flow.flags & IVB_FLOW_SNAT))
		return IVB_NEXT;
	retuple(af, &l->is, FLOW_SADDR(af, w.fwd), FLOW_DADDR(af, w.fwd), w.fwd->flow.sport,
		w.fwd->flow.dport, &l->to);
	return nat_packet(ctx, af, &l->p, &l->to, false);
}

/*
 * A packet of kernel IPVS's whose sk_buff is in no note of this moment. It may have waited for its
 * neighbour; or it is a part (a fragment, a segment) of the packet that a side's last note was about.
 */
static __always_inline struct note *note_search(const int af, struct notes *all, __u64 skb,
						const struct leaving *l)
{
	struct note *n = bpf_map_lookup_elem(&waiting, &skb);

	if (n && !(n->flags & NOTE_DONE) && note_matches(af, n, l))
		return n;
	if (note_matches(af, &all->from[0], l))
		return &all->from[0];
	return note_matches(af, &all->from[1], l) ? &all->from[1] : NULL;
}

/* Nobody has told us of the packet. Without SNAT kernel IPVS can do without us. */
static __always_inline int follow_unknown(const struct ivb_pkt *p)
{
	struct ivb_config *cfg;
	__u32 zero = 0;

	cfg = bpf_map_lookup_elem(&config, &zero);
	if (!cfg || (cfg->snat == IVB_SNAT_NEVER && !(cfg->flags & IVB_CONFIG_SNAT_SOME)))
		return IVB_NEXT;
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ? -IVB_R_SNAT_UNKNOWN : IVB_NEXT;
}

/*
 * n: the note with this sk_buff, if there is one. handled: kernel IPVS has marked the packet (or there is
 * such a note, which may be an older packet's).
 */
static __always_inline int follow_known(struct ivb_ctx *ctx, const int af, struct notes *all,
					struct note *n, bool handled)
{
	__u64 skb = (__u64)ctx;
	struct leaving *l;
	__u32 zero = 0;
	int r;

	/* Else each would be put aside for a packet that has come, and drive out those that wait. */
	if (n && n->flags & NOTE_LEAVE) {
		n->flags |= NOTE_DONE;
		return IVB_NEXT;
	}
	l = bpf_map_lookup_elem(&leaving, &zero);
	if (!l)
		return IVB_NEXT;
	r = BY_AF(af, headers, ctx, &l->p);
	if (!r)
		r = tuple_read(ctx, af, &l->p, &l->is);
	if (r)
		return IVB_NEXT;
	if (!n || !note_matches(af, n, l)) {
		if (n)
			handled = ctx_ipvs_property(ctx);
		if (!handled && !(l->p.flags & IVB_PKT_FRAGMENT))
			return IVB_NEXT;
		n = note_search(af, all, skb, l);
	}
	if (n)
		return follow_packet(ctx, af, n, l);
	return handled ? follow_unknown(&l->p) : IVB_NEXT;
}

/* ip6_fragment() does not pass kernel IPVS's mark on to the fragments that it makes. */
static __always_inline bool parts_expected(const struct note *n)
{
	return n->has_frag || (n->skb && !(n->flags & (NOTE_DONE | NOTE_LEAVE)));
}

static __always_inline int follow(struct ivb_ctx *ctx, const int af)
{
	bool copy = ctx_mark(ctx) == IVB_MARK_COPY, handled = true;
	struct notes *all = notes_get();
	__u64 skb = (__u64)ctx;
	struct note *n = NULL;
	int r;

	if (!all)
		return IVB_NEXT;
	if (all->from[0].skb == skb && !(all->from[0].flags & NOTE_DONE)) {
		n = &all->from[0];
	} else if (all->from[1].skb == skb && !(all->from[1].flags & NOTE_DONE)) {
		n = &all->from[1];
	} else if (!ctx_ipvs_property(ctx)) {
		if (af == AF_INET || !parts_expected(&all->from[0]))
			return copy ? -IVB_R_COPIES : IVB_NEXT;
		handled = false;
	}
	r = follow_known(ctx, af, all, n, handled);
	return copy ? -IVB_R_COPIES : r;
}

#endif
