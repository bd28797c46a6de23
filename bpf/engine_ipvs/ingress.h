/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that come in on a connection of kernel IPVS (the ipvs engine): carried here while its
 * lease holds, else handed to kernel IPVS, which then believes that it carries all of them. A lease
 * is of one direction, and renewed only by what kernel IPVS does (engine_ipvs/egress.h).
 */
#ifndef IVB_ENGINE_IPVS_INGRESS_H
#define IVB_ENGINE_IPVS_INGRESS_H

#include "lib/verdict.h"
#include "lib/frag.h"
#include "xmit/nat.h"
#include "engine_ipvs/note.h"
#include "lib/tuple.h"

/* Of packets on their way through this host; see ctx_tag(). */
#define IVB_TAG_CARRIED 0x1b50 /* by us: egress need not look at it */
#define IVB_TAG_COPY 0x1b51    /* for kernel IPVS to see, and to be dropped at egress */

static __always_inline bool lease_holds(const struct ivb_flow *f, __u32 now)
{
	__u32 until = READ_ONCE(f->lease), bucket = f->dest;
	struct ivb_kernel_dest *d;

	if (!until || (__s32)(until - now) <= 0)
		return false;
	d = bpf_map_lookup_elem(&kernel_dests, &bucket);
	return d && READ_ONCE(d->epoch) == f->epoch;
}

/* Replies that kernel IPVS would give to another connection. */
static __always_inline bool reply_ambiguous(const struct ivb_flow *f)
{
	const __u32 both = IVB_FLOW_AMBIGUOUS | IVB_FLOW_REPLY;

	return (f->flags & both) == both;
}

/* Whether kernel IPVS has counted the packet, or will count its copy. */
static __always_inline bool kernel_counts(const struct ivb_flow *f, const struct ivb_pkt *p)
{
	return f->flags & IVB_FLOW_KERNEL && p->proto == IPPROTO_TCP &&
	       p->tcp_flags & (TCP_FIN | TCP_RST) && !reply_ambiguous(f);
}

/* To kernel IPVS, as it expects it: a reply to the client. */
static __always_inline int kernel_slow(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				       const union tuple *key, const union flow *f)
{
	bool undo = (f->flow.flags & (IVB_FLOW_REPLY | IVB_FLOW_SNAT)) ==
		    (IVB_FLOW_REPLY | IVB_FLOW_SNAT);
	union flow back = {};
	int r;

	if ((p->flags & (IVB_PKT_FRAGMENT | IVB_PKT_LATER)) == IVB_PKT_FRAGMENT) {
		__u32 fate = undo ? IVB_FRAG_SLOW : IVB_FRAG_PASSED;

		/* where nothing is undone, kernel IPVS can use those that have come before */
		r = af == AF_INET ? frag_first4(p, &key->v4, fate) : frag_first6(p, &key->v6, fate);
		if (r && undo)
			return r;
	}
	if (f->flow.flags & IVB_FLOW_REPLY)
		ctx_set_priority(ctx, IVB_PRIORITY_SLOW);
	if (!undo)
		return -IVB_R_PASS_KERNEL;
	retuple(af, key, TUPLE_SADDR(af, key), FLOW_DADDR(af, f), TUPLE_SPORT(af, key),
		f->flow.dport, &back);
	r = nat_packet(ctx, af, p, &back, false);
	return r ? r : -IVB_R_PASS_KERNEL;
}

GLOBAL int kernel_slow4(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_tuple4 *key,
			const struct ivb_flow4 *f)
{
	if (!p || !key || !f)
		return -IVB_R_RACE;
	return kernel_slow(ctx, AF_INET, p, (const union tuple *)key, (const union flow *)f);
}

GLOBAL int kernel_slow6(struct ivb_ctx *ctx, const struct ivb_pkt *p, const struct ivb_tuple6 *key,
			const struct ivb_flow6 *f)
{
	if (!p || !key || !f)
		return -IVB_R_RACE;
	return kernel_slow(ctx, AF_INET6, p, (const union tuple *)key, (const union flow *)f);
}

#define KERNEL_SLOW(af, ctx, p, key, f)                                  \
	((af) == AF_INET ? kernel_slow4(ctx, p, &(key)->v4, (void *)(f)) \
			 : kernel_slow6(ctx, p, &(key)->v6, (void *)(f)))

/*
 * What cannot be carried, though its lease holds, is kernel IPVS's as long as nothing of it has
 * been changed. Only the kernel can fragment, and it knows more ways than we can ask for.
 */
static __always_inline bool kernel_instead(const struct ivb_flow *f, int r)
{
	return f->flags & IVB_FLOW_KERNEL && (r == -IVB_R_FRAG_ORDER || r == -IVB_R_TOO_BIG ||
					      r == -IVB_R_NO_ROUTE || r == -IVB_R_FWD_DISABLED);
}

/*
 * Where conntrack is at work FIN and RST are carried, and kernel IPVS gets a copy: whatever a
 * firewall thinks of them (conntrack has no entry, so they are "invalid"), the peers get theirs.
 * SYN decides about connections, so it is never ours; SYN-ACK changes no state of kernel IPVS's.
 */
static __always_inline bool kernel_fast(struct ivb_ctx *ctx, const struct ivb_pkt *p,
					const struct ivb_flow *f, __u32 now)
{
	if (ctx_tag(ctx) == IVB_TAG_COPY || f->flags & IVB_FLOW_LOCAL)
		return false;
	/* directly from the server: nothing that kernel IPVS would touch */
	if ((f->flags & (IVB_FLOW_DIRECT | IVB_FLOW_REPLY)) == (IVB_FLOW_DIRECT | IVB_FLOW_REPLY))
		return false;
	/* kernel IPVS puts datagrams together before it encapsulates them */
	if (f->flags & IVB_FLOW_TUNNEL && p->flags & IVB_PKT_FRAGMENT)
		return false;
	if (p->flags & IVB_PKT_LATER)
		return !(p->flags & IVB_PKT_SLOW);
	if (reply_ambiguous(f))
		return true;
	if (p->proto == IPPROTO_TCP && p->tcp_flags & TCP_SYN)
		return f->flags & IVB_FLOW_REPLY && p->tcp_flags & TCP_ACK;
	if (!lease_holds(f, now))
		return false;
	if (p->proto == IPPROTO_TCP && p->tcp_flags & (TCP_FIN | TCP_RST))
		return f->flags & IVB_FLOW_COPY && !ctx_copy_in(ctx, IVB_TAG_COPY);
	return true;
}

/* 0: carry it; or a reason. */
static __always_inline int kernel_decide(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
					 const union tuple *key, const union flow *f, __u32 now)
{
	if (kernel_fast(ctx, p, &f->flow, now))
		return p->flags & IVB_PKT_SOURCE_ROUTE ? -IVB_R_IP_OPTIONS : 0;
	return KERNEL_SLOW(af, ctx, p, key, f);
}

#endif
