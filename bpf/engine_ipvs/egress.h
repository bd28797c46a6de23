/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that kernel IPVS has handled, on their way out (the ipvs engine): here its connections
 * become ours, get their SNAT, and have their leases renewed. That the packet has come as far as
 * this is what renews a lease: a firewall that drops such packets ends the carrying of their
 * direction.
 */
#ifndef IVB_ENGINE_IPVS_EGRESS_H
#define IVB_ENGINE_IPVS_EGRESS_H

#include "lib/headers.h"
#include "engine_ipvs/ingress.h"
#include "engine_ipvs/adopt_conn.h"
#include "engine_ipvs/tunnel_learn.h"

/* The connection that the note speaks of, as we have it. */
struct followed {
	struct ivb_conn *c;
	union flow *fwd;
	__u32 id;
};

static __always_inline bool flow_leads_to(const int af, const union flow *f, const struct note *n)
{
	return f->flow.dport == n->dport && addr_equal(af, FLOW_DADDR(af, f), n->daddr.ip6);
}

/*
 * Finds the connection by its forward key; what else stands there is an older one's, whose end we
 * have yet to hear of: it goes. -1: it cannot be ours now.
 */
static __always_inline int follow_find(const int af, const struct note *n, const union tuple *key,
				       struct followed *w)
{
	__u32 gen;

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
	gen = w->fwd->flow.conn_gen;
	w->fwd = NULL;
	return conn_kill(af, w->id, gen) ? 0 : -1;
}

static __always_inline void lease_set(struct ivb_flow *f, const struct note *n, __u32 now,
				      __u32 lease)
{
	WRITE_ONCE(f->epoch, n->epoch);
	WRITE_ONCE(f->lease, lease ? stamp_or_one(now + lease) : 0);
}

/*
 * While the sync daemon is master, its backup must hear of the connection twice in its lifetime; it
 * does so by what kernel IPVS sees.
 */
static __always_inline bool backup_knows(const struct note *n, __u32 now)
{
	__u64 cp = n->cp;
	struct ivb_kernel_conn *kc;

	if (!(n->flags & NOTE_MASTER))
		return true;
	kc = bpf_map_lookup_elem(&ivb_kernel_conns, &cp);
	if (!kc)
		return false;
	if (n->flags & NOTE_SYNCED)
		kc->synced = stamp_or_one(now);
	return kc->synced && now - kc->synced < n->timeout / 2;
}

/* Whether the packet of a client's that the note is of is of consequence for replies as well. */
static __always_inline bool concerns_replies(const struct note *n, const struct ivb_flow *fwd)
{
	return !(n->flags & NOTE_NO_CT || fwd->flags & IVB_FLOW_COPY) || (n->lease && !fwd->lease);
}

/*
 * Renews the lease by a client's packet. The first one after the handshake lets replies through for
 * a second, as one at creation does.
 */
static __always_inline void follow_request(const int af, const struct note *n,
					   const struct followed *w, __u32 now)
{
	union flow *rep = NULL;

	if (concerns_replies(n, &w->fwd->flow)) {
		rep = flow_peer(af, w->fwd, n->proto);
		if (!rep)
			return;
		if (!(n->flags & NOTE_NO_CT)) {
			w->fwd->flow.flags |= IVB_FLOW_COPY;
			rep->flow.flags |= IVB_FLOW_COPY;
		}
	}
	if (!backup_knows(n, now))
		return;
	lease_set(&w->fwd->flow, n, now, n->lease);
	if (rep && n->lease && !rep->flow.lease)
		lease_set(&rep->flow, n, now, lease_of_replies(n));
}

/* Learns from a packet's note what has become of its connection. */
static __always_inline void follow_note(const int af, const struct note *n,
					const struct followed *w, __u32 now)
{
	union flow *rep;

	WRITE_ONCE(w->c->state, IVB_CONN_KERNEL | n->state);
	conn_touch(af, w->id, now, n->timeout + IVB_KERNEL_GRACE_S * ivb_hz);
	if (!(n->flags & NOTE_REPLY)) {
		follow_request(af, n, w, now);
		return;
	}
	rep = flow_peer(af, w->fwd, n->proto);
	if (rep)
		lease_set(&rep->flow, n, now, n->lease);
}

/* A packet with headers and tuple, and what becomes of it. Each CPU has one, for want of stack. */
struct leaving {
	struct ivb_pkt p;
	union tuple is;
	union flow to;
	struct pair pair;
	bool translate; /* else it leaves as it is */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct leaving);
	__uint(max_entries, 1);
} ivb_leaving SEC(".maps");

/*
 * Whether the note can speak of the packet. Of a fragmented datagram the later ones are known by
 * its id, which the first one has left in the note.
 */
static __always_inline bool note_matches(const int af, struct note *n, const struct leaving *l)
{
	const bool reply = n->flags & NOTE_REPLY;
	const __be32 *from = reply ? n->vaddr.ip6 : n->caddr.ip6;
	const __be32 *server = n->flags & NOTE_DIRECT ? n->vaddr.ip6 : n->daddr.ip6;
	const __be32 *to = reply ? n->caddr.ip6 : server;
	__be16 sport = reply ? n->vport : n->cport, dport = reply ? n->cport : n->dport;

	if (n->flags & NOTE_NOT_OURS)
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

/* Handles the packet of a connection that is known: its note, and its translation. */
static __always_inline void follow_known_conn(const int af, const struct note *n,
					      const struct followed *w, struct leaving *l)
{
	if (!(n->flags & NOTE_DONE))
		follow_note(af, n, w, bpf_jiffies64());
	l->translate = !(n->flags & NOTE_REPLY) && w->fwd->flow.flags & IVB_FLOW_SNAT;
	retuple(af, &l->is, FLOW_SADDR(af, w->fwd), FLOW_DADDR(af, w->fwd), w->fwd->flow.sport,
		w->fwd->flow.dport, &l->to);
}

/* Prepares the translation for a connection that was made just now. */
static __always_inline void follow_new_conn(const int af, struct leaving *l)
{
	const struct pair *pair = &l->pair;

	l->translate = pair->flags & IVB_FLOW_SNAT;
	retuple(af, &l->is, pair->source.ip6, pair->server.ip6, pair->sport, pair->port, &l->to);
}

/* Handles the packet of a note. It may leave (IVB_NEXT), or there is a reason. */
static __always_inline int follow_packet(struct ivb_ctx *ctx, const int af, struct note *n,
					 struct leaving *l)
{
	struct followed w = {};
	union tuple key;
	int r;

	if (n->flags & NOTE_NOT_OURS) {
		n->flags |= NOTE_DONE;
		return IVB_NEXT;
	}
	note_key(af, n, &key);
	if (follow_find(af, n, &key, &w))
		return IVB_NEXT;
	if (!w.fwd) {
		if (n->flags & NOTE_REPLY)
			return IVB_NEXT;
		r = kernel_conn_create(ctx, af, n, &key, &l->pair);
		if (r != IVB_CREATED)
			return r;
		if (!l->pair.gen && (follow_find(af, n, &key, &w) || !w.fwd))
			return -IVB_R_RACE;
	}
	if (w.fwd)
		follow_known_conn(af, n, &w, l);
	else
		follow_new_conn(af, l);
	n->flags |= NOTE_DONE;
	return l->translate ? nat_packet(ctx, af, &l->p, &l->to, false) : IVB_NEXT;
}

/*
 * Finds the note of a packet of kernel IPVS's whose sk_buff is in no note of this moment. The packet
 * may have waited for its neighbour. Or it is a part (a fragment, a segment) of the packet that a
 * side's last note was about.
 */
static __always_inline struct note *note_search(const int af, struct notes *all, __u64 skb,
						const struct leaving *l)
{
	struct note *n = bpf_map_lookup_elem(&ivb_waiting, &skb);

	if (n && !(n->flags & NOTE_DONE) && note_matches(af, n, l))
		return n;
	if (note_matches(af, &all->from[0], l))
		return &all->from[0];
	if (note_matches(af, &all->from[1], l))
		return &all->from[1];
	note_from_elsewhere(&skb);
	n = bpf_map_lookup_elem(&ivb_waiting, &skb);
	if (!n || note_matches(af, n, l))
		return n;
	bpf_map_delete_elem(&ivb_waiting, &skb);
	return NULL;
}

/* Handles a packet that no note tells of. Without SNAT kernel IPVS can do without us. */
static __always_inline int follow_unknown(const struct ivb_pkt *p)
{
	struct ivb_config *cfg;
	__u32 zero = 0;

	cfg = bpf_map_lookup_elem(&ivb_config, &zero);
	if (!cfg || (cfg->snat == IVB_SNAT_NEVER && !(cfg->flags & IVB_CONFIG_SNAT_SOME)))
		return IVB_NEXT;
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ? -IVB_R_SNAT_UNKNOWN : IVB_NEXT;
}

/*
 * Handles a packet that a note may be about. n: the note with this sk_buff, if there is one. handled: kernel IPVS has marked the packet (or
 * there is such a note, which may be an older packet's).
 */
static __always_inline int follow_known(struct ivb_ctx *ctx, const int af, struct notes *all,
					struct note *n, bool handled)
{
	__u64 skb = (__u64)ctx;
	struct leaving *l;
	__u32 zero = 0;
	int r;

	/*
	 * The note is done. Else it would be put aside for a packet that has come, and drive out
	 * those of packets that wait.
	 */
	if (n && n->flags & NOTE_NOT_OURS) {
		n->flags |= NOTE_DONE;
		return IVB_NEXT;
	}
	l = bpf_map_lookup_elem(&ivb_leaving, &zero);
	if (!l)
		return IVB_NEXT;
	if (n && n->flags & NOTE_TUNNEL)
		return tunnel_learn(ctx, af, n) ? follow_packet(ctx, af, n, l) : IVB_NEXT;
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

/* Whether fragments may come: ip6_fragment() does not hand them kernel IPVS's ipvs_property. */
static __always_inline bool parts_expected(const struct note *n)
{
	return n->has_frag || (n->skb && !(n->flags & (NOTE_DONE | NOTE_NOT_OURS)));
}

static __always_inline int egress(struct ivb_ctx *ctx, const int af)
{
	bool copy = ctx_tag(ctx) == IVB_TAG_COPY, handled = true;
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
