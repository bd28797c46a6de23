/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that the sync daemon of another director tells of (the ipvs engine, with SNAT): their
 * flows are made before a packet comes. After a failover the first one may be the server's, and it
 * goes to an address of SNAT's, where kernel IPVS knows nothing of it and the stack would answer
 * with a reset.
 */
#ifndef IVB_ENGINE_IPVS_SYNC_H
#define IVB_ENGINE_IPVS_SYNC_H

#include "engine_ipvs/hooks.h"
#include "engine_ipvs/adopt_conn.h"

/* Notes apart from those of packets, which may come while the sync daemon's thread is here. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct notes);
	__uint(max_entries, 1);
} ivb_adopting SEC(".maps");

/* Whether we may carry it. No packet tells whether conntrack has an entry: the flag has to. */
static __always_inline bool conn_is_adoptable(const struct ip_vs_conn *cp)
{
	__u32 flags = cp->flags;

	return !(flags & (IP_VS_CONN_F_TEMPLATE | IP_VS_CONN_F_ONE_PACKET | IP_VS_CONN_F_NO_CPORT |
			  IP_VS_CONN_F_NFCT)) &&
	       (flags & IP_VS_CONN_F_FWD_MASK) == IP_VS_CONN_F_MASQ && !cp->app && cp->dest &&
	       cp->af == cp->daf && (cp->protocol == IPPROTO_TCP || cp->protocol == IPPROTO_UDP);
}

/* Renews a connection that was adopted before. False: it is to be made. */
static __always_inline bool adopt_renew(const int af, const struct note *n)
{
	__u64 cp = n->cp;
	struct ivb_kernel_conn *kc = bpf_map_lookup_elem(&ivb_kernel_conns, &cp);
	struct ivb_conn *c;

	if (!kc)
		return false;
	if (kc->conn == IVB_NONE)
		return kc->flags & IVB_KERNEL_EXISTED;
	c = conn_get(af, kc->conn);
	if (c && c->gen == kc->gen && c->cp == cp) {
		WRITE_ONCE(c->state, IVB_CONN_KERNEL | n->state);
		conn_touch(af, kc->conn, bpf_jiffies64(), n->timeout + IVB_KERNEL_GRACE_S * ivb_hz);
	}
	return true;
}

/* Makes the connection without a lease: the first packets go to kernel IPVS, which gives one. */
static __always_inline int adopt(const int af, const struct note *n)
{
	__u16 known = kernel_conn_flags(n);
	union tuple key;
	struct ivb_config *cfg;
	const __be32 *source;
	struct pair pair;
	__u32 zero = 0;

	cfg = bpf_map_lookup_elem(&ivb_config, &zero);
	if (adopt_renew(af, n) || !n->lease || n->state == IVB_S_TIME_WAIT || !cfg ||
	    cfg->flags & IVB_CONFIG_DRAIN || conns_on_hold() ||
	    !kernel_wants_snat(af, cfg, n, known))
		return 0;
	/* An address of this director alone is not what the servers know. */
	note_key(af, n, &key);
	note_pair(af, n, &pair);
	source = snat_pool(af, cfg, &key, &pair.server, pair.port);
	if (!source)
		return 0;
	addr_copy(af, pair.source.ip6, source);
	pair.flags |= IVB_FLOW_SNAT;
	kernel_pair_create(NULL, af, n, &key, &pair, known);
	return 0;
}

/* Sees a connection put back; on a backup the sync daemon does that, when it has just written it. */
static __always_inline int conn_put(const struct ip_vs_conn *cp)
{
	struct notes *all;
	struct note *n;
	__u32 zero = 0;

	if (!(cp->ipvs->sync_state & IP_VS_STATE_BACKUP) || !conn_is_here(cp) ||
	    !conn_is_adoptable(cp))
		return 0;
	all = bpf_map_lookup_elem(&ivb_adopting, &zero);
	if (!all)
		return 0;
	n = &all->from[0];
	n->cp = (__u64)cp;
	note_fill(all, n, cp);
	return n->af == AF_INET ? adopt(AF_INET, n) : adopt(AF_INET6, n);
}

#endif
