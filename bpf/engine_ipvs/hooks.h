/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hooks read off a connection of kernel IPVS, and what they make of it: whether it is ours
 * to carry, how long a lease is, and whether its backup is told of it.
 */
#ifndef IVB_ENGINE_IPVS_HOOKS_H
#define IVB_ENGINE_IPVS_HOOKS_H

#include "engine_ipvs/types.h"
#include "engine_ipvs/note.h"
#include "lib/tuple.h"

#define LEASE_MAX_S 30
#define LEASE_MIN_S 2
#define LEASE_TIME_WAIT_S 2 /* the last ACKs; data does not come any more */

const volatile __u64 ivb_netns_cookie = 0;

static __always_inline bool conn_is_here(const struct ip_vs_conn *cp)
{
	return cp->ipvs->net->net_cookie == ivb_netns_cookie;
}

/*
 * No arithmetic is allowed with a pointer to a kernel structure; what is read from memory is a
 * number.
 */
static __always_inline __u32 dest_bucket(struct notes *all, const struct ip_vs_dest *dest)
{
	WRITE_ONCE(all->number, (__u64)dest);
	return spread(READ_ONCE(all->number), 0, IVB_KERNEL_DESTS) & (IVB_KERNEL_DESTS - 1);
}

/*
 * An idle connection may end that much earlier than with kernel IPVS alone, which has not seen its
 * last packets: a twentieth of its time, but two seconds at least, or a quarter of a very short
 * one.
 */
static __always_inline __u32 lease_by_time(__u32 timeout)
{
	__u32 lease = timeout / 20, least = timeout / 4, max = LEASE_MAX_S * ivb_hz;

	if (least > LEASE_MIN_S * ivb_hz)
		least = LEASE_MIN_S * ivb_hz;
	if (lease < least)
		lease = least;
	return lease < max ? lease : max;
}

/*
 * In the other states kernel IPVS has to see every packet: the next one may be what it waits for.
 * enum ip_vs_tcp_states are the first of enum ivb_conn_state; UDP has the one state 0.
 */
static __always_inline __u32 lease_of(__u8 proto, __u32 state, __u32 timeout)
{
	if (proto == IPPROTO_TCP && state == IVB_S_TIME_WAIT)
		return LEASE_TIME_WAIT_S * ivb_hz;
	if (proto == IPPROTO_TCP && state != IVB_S_ESTABLISHED && state != IVB_S_FIN_WAIT &&
	    state != IVB_S_CLOSE_WAIT)
		return 0;
	return lease_by_time(timeout);
}

#define SYNC_RETRIES 3 /* the bits of sync_endtime that count them */

/*
 * As ip_vs_sync_conn_needed(): with which packets the backup is told, in a state that does not
 * change. Where it is told several times (sync_retries), with the packet behind the last one.
 * Without a period every packet finds it told, not longer ago than sync_refresh_period.
 */
static __always_inline bool backup_is_told(const struct ip_vs_conn *cp)
{
	const struct netns_ipvs *ipvs = cp->ipvs;
	int threshold = ipvs->sysctl_sync_threshold[0], period = ipvs->sysctl_sync_threshold[1];
	int packets = cp->in_pkts.counter + 1; /* counted after it has been sent */
	bool refresh = ipvs->sysctl_sync_refresh_period;

	if (refresh && (int)(cp->sync_endtime & SYNC_RETRIES) < ipvs->sysctl_sync_retries)
		return false;
	if (period > 0)
		return (__u32)packets % (__u32)period == (__u32)threshold;
	return refresh || packets == threshold;
}

static __always_inline __u16 sync_flags(const struct ip_vs_conn *cp)
{
	if (!(cp->ipvs->sync_state & IP_VS_STATE_MASTER))
		return 0;
	return NOTE_MASTER | (backup_is_told(cp) ? NOTE_SYNCED : 0);
}

/* By NAT, direct routing, or a tunnel of plain IP in IP. */
static __always_inline bool method_is_ours(const struct ip_vs_conn *cp)
{
	const struct ip_vs_dest *dest = cp->dest;
	__u32 method = cp->flags & IP_VS_CONN_F_FWD_MASK;

	if (method == IP_VS_CONN_F_TUNNEL)
		return dest && dest->tun_type == IP_VS_CONN_F_TUNNEL_TYPE_IPIP;
	return method == IP_VS_CONN_F_MASQ || method == IP_VS_CONN_F_DROUTE;
}

/*
 * FTP's and SIP's helpers, one-packet scheduling, other methods, and what conntrack has entries of,
 * are not.
 */
static __always_inline bool conn_is_ours(const struct sk_buff *skb, const struct ip_vs_conn *cp)
{
	__u32 flags = cp->flags;
	unsigned long ct;

	if (flags & (IP_VS_CONN_F_TEMPLATE | IP_VS_CONN_F_ONE_PACKET | IP_VS_CONN_F_NO_CPORT) ||
	    !method_is_ours(cp) || cp->app || cp->af != cp->daf ||
	    (cp->protocol != IPPROTO_TCP && cp->protocol != IPPROTO_UDP))
		return false;
	if (cp->control && cp->control->pe)
		return false;
	if (!(flags & IP_VS_CONN_F_NFCT))
		return true;
	ct = skb->_nfct;
	return !ct || (ct & NFCT_INFOMASK) == IP_CT_UNTRACKED;
}

/* Of IPv4 the first word alone, as notes are read by family. */
static __always_inline void addr_read(__u16 af, union ivb_addr *to, const union nf_inet_addr *from)
{
	to->ip6[0] = from->all[0];
	if (af == AF_INET)
		return;
	to->ip6[1] = from->all[1];
	to->ip6[2] = from->all[2];
	to->ip6[3] = from->all[3];
}

static __always_inline __u16 method_flags(const struct ip_vs_conn *cp)
{
	__u32 method = cp->flags & IP_VS_CONN_F_FWD_MASK;

	if (method == IP_VS_CONN_F_MASQ)
		return 0;
	if (method == IP_VS_CONN_F_DROUTE)
		return NOTE_DIRECT;
	return NOTE_DIRECT | NOTE_TUNNEL | (cp->ipvs->sysctl_pmtu_disc ? NOTE_PMTU_DISC : 0);
}

static __always_inline void note_fill(struct notes *all, struct note *n,
				      const struct ip_vs_conn *cp)
{
	struct ivb_kernel_dest *d;

	n->af = cp->af;
	addr_read(n->af, &n->caddr, &cp->caddr);
	addr_read(n->af, &n->vaddr, &cp->vaddr);
	addr_read(n->af, &n->daddr, &cp->daddr);
	n->cport = cp->cport;
	n->vport = cp->vport;
	n->dport = cp->dport;
	n->proto = cp->protocol;
	n->state = n->proto == IPPROTO_TCP ? cp->state : IVB_S_UDP;
	n->timeout = cp->timeout;
	n->flags |= method_flags(cp);
	n->lease = lease_of(n->proto, cp->state, n->timeout);
	n->dest = dest_bucket(all, cp->dest);
	d = bpf_map_lookup_elem(&kernel_dests, &n->dest);
	n->epoch = d ? READ_ONCE(d->epoch) : 0;
}

/*
 * The packet that the note was about has not come yet: it may be waiting for its neighbour. From
 * here on no other processor takes what stands here for a note (engine_ipvs/note.h).
 */
static __always_inline void note_put_aside(struct note *n, __u64 skb)
{
	__u64 old = n->skb;

	if (old && old != skb && !(n->flags & NOTE_DONE))
		bpf_map_update_elem(&waiting, &old, n, BPF_ANY);
	WRITE_ONCE(n->skb, 0);
}

/* side: 0 from the client, 1 from the server. */
static __always_inline int note_write(const struct sk_buff *skb, const struct ip_vs_conn *cp,
				      const int side)
{
	struct notes *all = notes_get();
	struct note *n;
	__u32 writes;

	if (!all || !conn_is_here(cp))
		return 0;
	writes = ++all->writes;
	n = &all->from[side];
	note_put_aside(n, (__u64)skb);
	/* the same sk_buff in another packet's life */
	if (all->from[!side].skb == (__u64)skb)
		all->from[!side].skb = 0;
	n->cp = (__u64)cp;
	n->has_frag = 0;
	n->flags = side ? NOTE_REPLY : 0;
	if (conn_is_ours(skb, cp)) {
		n->flags |= side ? 0 : sync_flags(cp);
		/* an untracked packet has no entry: what conntrack thinks does not bite it */
		n->flags |= skb->_nfct & NFCT_PTRMASK ? 0 : NOTE_NO_CT;
		note_fill(all, n, cp);
	} else {
		n->flags |= NOTE_NOT_OURS;
	}
	n->skb = READ_ONCE(all->writes) == writes ? (__u64)skb : 0;
	return 0;
}

#endif
