/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk of a packet: headers, flow, state, next hop, translation, out. One text for both
 * families and both hooks.
 */
#ifndef IVB_PATH_CARRY_H
#define IVB_PATH_CARRY_H

#include "lib/frag.h"
#include "lib/headers.h"
#include "path/icmp.h"
#include "engine_ipvs/ingress.h"
#include "engine_bpf/new.h"
#include "path/plain.h"
#include "conn/room.h"
#include "path/send.h"
#include "conn/sweep.h"
#include "engine_bpf/track.h"

/* Once a second. */
static __always_inline void liveness(const int af, union flow *f, __u32 now)
{
	af == AF_INET ? refresh4(&f->v4, now) : refresh6(&f->v6, now);
	BY_AF(af, sweep_by_packet);
}

/* State and liveness. 0: go on; 1: the flow is no more, schedule afresh; or a reason. */
static __always_inline int flow_update(const int af, const struct ivb_pkt *p, union flow *f,
				       __u32 now)
{
	int r = 0;

	if (!(p->flags & IVB_PKT_LATER) && ((p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) ||
					    !(f->flow.flags & IVB_FLOW_ESTABLISHED)))
		r = af == AF_INET ? track4(&f->v4, p->tcp_flags) : track6(&f->v6, p->tcp_flags);
	else if (now - READ_ONCE(f->flow.last_seen) >= ivb_hz)
		liveness(af, f, now);
	if (r)
		return r;
	/* Replies of a removed server still pass. */
	if (!(f->flow.flags & IVB_FLOW_REPLY) && !dest_available(f->flow.dest)) {
		if (p->flags & IVB_PKT_LATER)
			return -IVB_R_DEST_GONE;
		return af == AF_INET ? dest_gone4(&f->v4, p->proto) : dest_gone6(&f->v6, p->proto);
	}
	if (p->flags & IVB_PKT_SOURCE_ROUTE)
		return -IVB_R_IP_OPTIONS;
	return 0;
}

/*
 * The flow of a connection that began just now. Of one that this CPU made there is a copy at hand:
 * looking for the element would cost as much as any lookup, and nothing is written to it, as its
 * first packet was counted in advance (as ip_vs_in_stats() counts before it is known whether the
 * packet can be sent).
 */
static __always_inline union flow *flow_made(const int af, int verdict, const union tuple *key)
{
	__u32 zero = 0;
	struct scratch *s;

	if (verdict != IVB_MADE)
		return bpf_map_lookup_elem(MAP_OF(af, flows), key);
	s = bpf_map_lookup_elem(&scratches, &zero);
	return s ? &s->fwd : NULL;
}

/* All that may have to be decided. f: the packet's flow, or NULL. */
static __always_inline int carry_long(struct ivb_ctx *ctx, const int af, struct ivb_pkt *p,
				      union tuple *key, union flow *f, __u32 tag, __u32 now)
{
	struct route route = {};
	int r;

	if (f && f->flow.flags & IVB_FLOW_KERNEL)
		r = kernel_decide(ctx, af, p, key, f, now);
	else
		r = f ? flow_update(af, p, f, now) : 1;
	if (r < 0)
		return r;
	if (f && p->tcp_flags & (TCP_FIN | TCP_RST) && f->flow.flags & IVB_FLOW_SNAT && !r &&
	    ports_are_half())
		af == AF_INET ? port_give_up4(&key->v4, &f->v4) : port_give_up6(&key->v6, &f->v6);
	if (r) {
		r = af == AF_INET ? flow_miss4(ctx, p, &key->v4, &route)
				  : flow_miss6(ctx, p, &key->v6, &route);
		BY_AF(af, port_room);
		BY_AF(af, sweep_by_packet);
		if (r == -IVB_R_NO_DEST)
			return REFUSE(af, ctx, p, NULL, IVB_R_NO_DEST, 0);
		if (r < IVB_CREATED)
			return r;
		if (r >> IVB_DISPLACED_SHIFT)
			BY_AF(af, half_open_evict, (r >> IVB_DISPLACED_SHIFT) - 1);
		f = flow_made(af, r & IVB_VERDICT_MASK, key);
		if (!f)
			return -IVB_R_RACE;
	}
	if ((p->flags & (IVB_PKT_FRAGMENT | IVB_PKT_LATER)) == IVB_PKT_FRAGMENT) {
		r = af == AF_INET ? frag_first4(p, &key->v4, IVB_FRAG_CARRIED)
				  : frag_first6(p, &key->v6, IVB_FRAG_CARRIED);
		if (r)
			return kernel_instead(&f->flow, r) ? KERNEL_SLOW(af, ctx, p, key, f) : r;
	}
	if (p->ttl <= 1)
		return REFUSE(af, ctx, p, f, IVB_R_TTL, 0);
	r = flow_send(ctx, af, p, f, tag, now, &route);
	return kernel_instead(&f->flow, r) ? KERNEL_SLOW(af, ctx, p, key, f) : r;
}

static __always_inline int carry(struct ivb_ctx *ctx, const int af)
{
	struct ivb_pkt plain = {}, p;
	__u32 now = bpf_jiffies64(), tag;
	union tuple key; /* tuple_read() writes all of it */
	union flow *f;
	int r;

	if (ivb_parse_plain(ctx_data(ctx), ctx_end(ctx), ctx_len(ctx), af, &plain)) {
		r = tuple_read(ctx, af, &plain, &key);
		if (r)
			return r;
		tag = tuple_tag(af, &key);
		f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
		r = f ? carry_plain(ctx, af, &plain, f, tag, now) : IVB_NEXT;
		if (r != IVB_NEXT)
			return r;
		p = plain;
	} else {
		__builtin_memset(&p, 0, sizeof(p));
		r = BY_AF(af, headers, ctx, &p);
		if (r)
			return r == IVB_OTHER ? IVB_NEXT : r;
		r = tuple_read(ctx, af, &p, &key);
		if (r)
			return r;
		if (p.proto == (af == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6))
			return BY_AF(af, icmp_error, ctx, &p);
		if (p.flags & IVB_PKT_LATER) {
			r = af == AF_INET ? frag_later4(&p, &key.v4) : frag_later6(&p, &key.v6);
			if (r)
				return r;
		}
		tag = tuple_tag(af, &key);
		f = bpf_map_lookup_elem(MAP_OF(af, flows), &key);
	}
	return carry_long(ctx, af, &p, &key, f, tag, now);
}

#endif
