/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which services kernel IPVS has, for the rules of `up --notrack`: a first packet to one of them is
 * to be kept out of conntrack. Hooks keep the list while no process of ours lives; `up` writes what
 * is older.
 */
#ifndef IVB_ENGINE_IPVS_SERVICES_H
#define IVB_ENGINE_IPVS_SERVICES_H

#include "engine_ipvs/hooks.h"
#include "engine_ipvs/match.h"
#include "engine_ipvs/types.h"

#define FTP_PORT 21

struct ip_vs_service {
	__u16 af;
	__u16 protocol;
	union nf_inet_addr addr;
	__be16 port;
	__u32 fwmark;
	unsigned int flags;
	struct netns_ipvs *ipvs;
	struct ip_vs_pe *pe;
} KERNEL_STRUCT;

#define IP_VS_SVC_F_ONEPACKET 0x0004

/*
 * The service's key. False: its connections are never carried. A service by firewall mark is known
 * only after the hook at which packets are untracked. FTP's helper needs conntrack.
 */
static __always_inline bool service_key(const struct ip_vs_service *svc,
					struct ivb_service_key *key)
{
	if (svc->ipvs->net->net_cookie != ivb_netns_cookie || svc->fwmark || svc->pe ||
	    svc->flags & IP_VS_SVC_F_ONEPACKET ||
	    (svc->protocol != IPPROTO_TCP && svc->protocol != IPPROTO_UDP) ||
	    (svc->protocol == IPPROTO_TCP && svc->port == bpf_htons(FTP_PORT)))
		return false;
	addr_read(svc->af, &key->addr, &svc->addr);
	key->port = svc->port;
	key->proto = svc->protocol;
	key->af = svc->af;
	return true;
}

static __always_inline int service_known(const struct ip_vs_service *svc)
{
	struct ivb_service_key key = {};
	__u32 one = 1;

	if (service_key(svc, &key))
		bpf_map_update_elem(&ivb_kernel_services, &key, &one, BPF_ANY);
	return 0;
}

static __always_inline int service_gone(const struct ip_vs_service *svc)
{
	struct ivb_service_key key = {};

	if (service_key(svc, &key))
		bpf_map_delete_elem(&ivb_kernel_services, &key);
	return 0;
}

/* Whether there is a service of that address and port, or of all the address's ports. */
static __always_inline bool service_has(struct ivb_service_key *key, const __u8 *l4)
{
	const __u8 control = TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN;

	if (key->proto == IPPROTO_TCP && (l4[13] & control) != TCP_SYN)
		return false;
	__builtin_memcpy(&key->port, l4 + 2, sizeof(key->port));
	if (bpf_map_lookup_elem(&ivb_kernel_services, key))
		return true;
	key->port = 0;
	return bpf_map_lookup_elem(&ivb_kernel_services, key);
}

/* Reads the transport header: TCP's up to the flags, UDP's first eight bytes. */
static __always_inline bool begins_l4(const struct ivb_ctx *ctx, struct ivb_service_key *key,
				      __u32 l4_off)
{
	__u8 l4[14] = {};

	if (key->proto == IPPROTO_TCP)
		return match_load(ctx, l4_off, l4, sizeof(l4)) && service_has(key, l4);
	return key->proto == IPPROTO_UDP && match_load(ctx, l4_off, l4, 8) && service_has(key, l4);
}

static __always_inline bool begins4(const struct ivb_ctx *ctx)
{
	struct ivb_service_key key = { .af = AF_INET };
	struct iphdr ip;

	if (!match_load(ctx, 0, &ip, sizeof(ip)))
		return false;
	key.addr.ip = ip.daddr;
	key.proto = ip.protocol;
	return begins_l4(ctx, &key, ip.ihl * 4);
}

static __always_inline bool begins6(const struct ivb_ctx *ctx)
{
	struct ivb_service_key key = { .af = AF_INET6 };
	struct ipv6hdr ip;

	if (!match_load(ctx, 0, &ip, sizeof(ip)))
		return false;
	__builtin_memcpy(key.addr.ip6, &ip.daddr, sizeof(key.addr.ip6));
	key.proto = ip.nexthdr;
	return begins_l4(ctx, &key, sizeof(ip));
}

/* As match_followed(): may the packet be the first of a connection that will be followed? */
static __always_inline bool match_begins(const struct ivb_ctx *ctx)
{
	__u32 ifindex = ctx->ifindex, zero = 0;
	struct ivb_config *cfg = bpf_map_lookup_elem(&ivb_config, &zero);

	if (!cfg || cfg->flags & IVB_CONFIG_DRAIN || !bpf_map_lookup_elem(&ivb_devs, &ifindex))
		return false;
	return ctx_protocol(ctx) == bpf_htons(ETH_P_IPV6) ? begins6(ctx) : begins4(ctx);
}

#endif
