/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source translation: whether a connection gets it, and its port. The reply flow's key, inserted
 * with BPF_NOEXIST, is the reservation of the port; nothing else has to be kept.
 */
#ifndef IVB_PATH_SNAT_H
#define IVB_PATH_SNAT_H

#include "path/exit.h"
#include "path/tuple.h"

#define PORT_TRIES 32

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

/* The source address towards the server; NULL: none is known. */
static __always_inline const __be32 *snat_address(const int af, const struct ivb_config *cfg,
						  const struct ivb_dest *dest)
{
	const __be32 *own = af == AF_INET ? cfg->snat_addr4.ip6 : cfg->snat_addr6.ip6;

	if (!addr_zero(af, own))
		return own;
	return addr_zero(af, dest->snat_addr.ip6) ? NULL : dest->snat_addr.ip6;
}

/*
 * Where the search for a port starts: the same for a client's port wherever the key is the same, also
 * through another virtual address (see note_ambiguous()).
 */
static __always_inline __u32 port_hash(const int af, const struct ivb_config *cfg,
				       const union tuple *key)
{
	__u64 a = cfg->hash_key, b = TUPLE_SPORT(af, key);
	const __be32 *s = TUPLE_SADDR(af, key);

	a ^= s[0];
	if (af == AF_INET6) {
		a ^= (__u64)s[3] << 32 ^ (__u64)s[2] << 13;
		b ^= (__u64)s[1] << 16;
	}
	return spread(a, b, 1u << 31);
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

/* The try-th port to try for this connection, host order; 0: there are none. */
static __always_inline __u32 port_candidate(const struct ivb_config *cfg, __u32 hash,
					    __u32 client_port, __u32 try)
{
	__u32 n = cfg->num_snat_ports;

	if (!try)
		return port_allowed(client_port) ? client_port : 0;
	if (!n)
		return 0;
	return port_nth((hash + try * 7919) % n);
}

#endif
