/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source translation: whether a connection gets it, and its port. The reply flow's key, inserted
 * with BPF_NOEXIST, is the reservation of the port; nothing else has to be kept.
 */
#ifndef IVB_SNAT_SNAT_H
#define IVB_SNAT_SNAT_H

#include "lib/verdict.h"
#include "snat/ports.h"
#include "lib/tuple.h"

/* Together with those of port_room() 32 probes of the flow table, at most. */
#define PREFERRED_TRIES 2
#define FREE_TRIES 12
#define FREE_TRIES_NEXT 4 /* the first of them: the port that has been free for longest */

/*
 * An address's last ports towards a server, which are left while another address has more: two CPUs
 * that choose it at once for its very last one would have to refuse a connection.
 */
#define SNAT_SPARE(num) ((num) / 256)

static __always_inline bool snat_wanted(const int af, __u32 policy, const __be32 *client,
					const __be32 *server)
{
	struct ivb_prefix prefix = { .prefixlen = 32 + (af == AF_INET ? 32 : 128), .af = af };

	/* A server that is its own client would answer itself directly. */
	if (policy == IVB_SNAT_ALWAYS || addr_equal(af, client, server))
		return true;
	if (policy != IVB_SNAT_AUTO)
		return false;
	addr_copy(af, prefix.addr.ip6, client);
	return !bpf_map_lookup_elem(&non_masq, &prefix);
}

/* How many free ports the nth of the addresses has towards a server, as far as is known. */
static __always_inline __u32 snat_free_ports(const int af, __u32 n, const union ivb_addr *server,
					     __be16 port, __u8 proto)
{
	__u32 zero = 0, family = FAMILY_INDEX(af);
	struct ivb_config *cfg = bpf_map_lookup_elem(&config, &zero);
	struct ivb_port_map *m;
	struct ivb_port_key k;

	if (!cfg)
		return 0;
	port_key(af, &k, cfg->snat_addrs[family][n & (IVB_SNAT_ADDRS - 1)].ip6, server->ip6, port,
		 proto, ivb_zone);
	m = bpf_map_lookup_elem(&port_maps, &k);
	return m ? m->free : 65536;
}

/* Of their own: in the loop below 6.1 would go through 140,000 instructions. */
GLOBAL __u32 snat_free_ports4(__u32 n, const union ivb_addr *server, __be16 port, __u8 proto)
{
	return server ? snat_free_ports(AF_INET, n, server, port, proto) : 0;
}

GLOBAL __u32 snat_free_ports6(__u32 n, const union ivb_addr *server, __be16 port, __u8 proto)
{
	return server ? snat_free_ports(AF_INET6, n, server, port, proto) : 0;
}

/*
 * Which of the addresses of `up --snat-addr`: a client has its own, as with the kernel's NAT,
 * unless that one has next to no free ports towards the server and another has more. The index;
 * below 0: none were given.
 */
static __always_inline int snat_choose(const int af, const union tuple *key,
				       const union ivb_addr *server, __be16 port)
{
	const __be32 *client = TUPLE_SADDR(af, key);
	__u32 zero = 0, family = FAMILY_INDEX(af), n, start, i, at, num_free, most = 0, best = 0,
	      spare;
	struct ivb_config *cfg = bpf_map_lookup_elem(&config, &zero);

	n = cfg ? cfg->num_snat_addrs[family] : 0;
	if (!n)
		return -1;
	if (n == 1)
		return 0;
	start = spread(cfg->hash_key,
		       af == AF_INET ? client[0]
				     : mix((__u64)client[0] << 32 | client[1],
					   (__u64)client[2] << 32 | client[3]),
		       n);
	spare = SNAT_SPARE(cfg->num_snat_ports);
	for (i = 0; i < IVB_SNAT_ADDRS && i < n && most <= spare; i++) {
		at = (start + i) % n;
		num_free = BY_AF(af, snat_free_ports, at, server, port, tuple_proto(af, key));
		if (num_free > most || !i) {
			most = num_free;
			best = at;
		}
	}
	return best;
}

GLOBAL int snat_choose4(const struct ivb_tuple4 *key, const union ivb_addr *server, __be16 port)
{
	return key && server ? snat_choose(AF_INET, (const union tuple *)key, server, port) : -1;
}

GLOBAL int snat_choose6(const struct ivb_tuple6 *key, const union ivb_addr *server, __be16 port)
{
	return key && server ? snat_choose(AF_INET6, (const union tuple *)key, server, port) : -1;
}

/* The instance's source address towards a server; NULL: none was given. */
static __always_inline const __be32 *snat_pool(const int af, const struct ivb_config *cfg,
					       const union tuple *key, const union ivb_addr *server,
					       __be16 port)
{
	union ivb_addr to = {};
	int i;

	if (!cfg->num_snat_addrs[FAMILY_INDEX(af)])
		return NULL;
	/* a copy: no function may get what programs must not write to, as dests */
	addr_copy(af, to.ip6, server->ip6);
	i = af == AF_INET ? snat_choose4(&key->v4, &to, port) : snat_choose6(&key->v6, &to, port);
	return i < 0 ? NULL : cfg->snat_addrs[FAMILY_INDEX(af)][i & (IVB_SNAT_ADDRS - 1)].ip6;
}

/* The source address towards the server; NULL: none is known. */
static __always_inline const __be32 *snat_address(const int af, const struct ivb_config *cfg,
						  const union tuple *key,
						  const struct ivb_dest *dest)
{
	const __be32 *own = snat_pool(af, cfg, key, &dest->addr, dest->port);

	if (own)
		return own;
	return addr_zero(af, dest->snat_addr.ip6) ? NULL : dest->snat_addr.ip6;
}

/*
 * Where the search for a port starts: the same for a client's port wherever the key is the same,
 * also through another virtual address. A client's ports in turn start in turn, so that they are
 * not in each other's way, and what is kept of ports lies together.
 */
static __always_inline __u32 port_hash(const int af, const struct ivb_config *cfg,
				       const union tuple *key)
{
	const __be32 *s = TUPLE_SADDR(af, key);
	__u64 a = cfg->hash_key ^ s[0], b = 0;

	if (af == AF_INET6) {
		a ^= (__u64)s[3] << 32 ^ (__u64)s[2] << 13;
		b = (__u64)s[1] << 16;
	}
	return spread(a, b, 1u << 31) + bpf_ntohs(TUPLE_SPORT(af, key));
}

/* The nth of the ports that may be used, host order; 0: there is none. */
static __always_inline __u32 port_nth(__u32 n)
{
	__u32 group = n / IVB_PORT_GROUP;
	struct ivb_port_group *g = bpf_map_lookup_elem(&snat_ports, &group);

	return g ? g->port[n & (IVB_PORT_GROUP - 1)] : 0;
}

/* Whether the port is among them. */
static __always_inline bool port_allowed(__u32 port)
{
	__u32 group = port / IVB_PORT_GROUP;
	struct ivb_port_group *g = bpf_map_lookup_elem(&snat_ports, &group);

	return g && g->allowed >> (port & (IVB_PORT_GROUP - 1)) & 1;
}

/*
 * What is tried before others: the client's own port, and one by the key; host order, 0: not to be
 * used. Two of a pair of directors with one key come to the same as long as these are free.
 */
static __always_inline __u32 port_preferred(const struct ivb_config *cfg, __u32 hash,
					    __u32 client_port, __u32 try)
{
	if (!try)
		return port_allowed(client_port) ? client_port : 0;
	return cfg->num_snat_ports ? port_nth(hash % cfg->num_snat_ports) : 0;
}

#endif
