/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk of nearly every packet: of an established connection, nothing but addresses, ports and
 * MAC addresses to be changed, and the way known. It decides nothing: what asks for a decision goes
 * the long way (path/carry.h), untouched. No function that is called by itself gets to see the
 * headers as they were read, so these stay in registers.
 */
#ifndef IVB_PATH_PLAIN_H
#define IVB_PATH_PLAIN_H

#include "engine_ipvs/ingress.h"
#include "path/send.h"
#include "engine_bpf/track.h"

#define FLOW_NOT_PLAIN (IVB_FLOW_TUNNEL | IVB_FLOW_DIRECT | IVB_FLOW_LOCAL | IVB_FLOW_AMBIGUOUS)

/* Whether flow_update(), or kernel_decide(), would say "go on" and do nothing else. */
static __always_inline bool flow_is_plain(const struct ivb_ctx *ctx, const struct ivb_flow *f,
					  __u32 flags, __u32 now)
{
	if (flags & FLOW_NOT_PLAIN)
		return false;
	if (flags & IVB_FLOW_KERNEL)
		return ctx_tag(ctx) != IVB_TAG_COPY && lease_holds(f, now);
	return flags & IVB_FLOW_ESTABLISHED && now - READ_ONCE(f->last_seen) < ivb_hz &&
	       (flags & IVB_FLOW_REPLY || dest_available(f->dest));
}

/* IVB_NEXT: not by this way, nothing has been done; else as flow_send(). */
static __always_inline int carry_plain(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				       union flow *f, __u32 tag, __u32 now)
{
	__u32 flags = f->flow.flags;
	struct ivb_nexthop *nh;
	int r;

	if (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST) || p->ttl <= 1 ||
	    !flow_is_plain(ctx, &f->flow, flags, now))
		return IVB_NEXT;
	nh = nexthop_fresh(af, f->flow.nexthop, now, FLOW_SADDR(af, f), FLOW_DADDR(af, f));
	if (!nh || wire_len(ctx, p) > nh->mtu)
		return IVB_NEXT;
	r = nat_packet(ctx, af, p, f, true);
	if (r)
		return r;
	if (READ_ONCE(f->flow.tag) != tag)
		return -IVB_R_RACE;
	flow_account(&f->flow, p);
	if (flags & IVB_FLOW_KERNEL)
		ctx_set_tag(ctx, IVB_TAG_CARRIED);
	return send_fast(ctx, nh);
}

#endif
