/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and values of either family in one text: af is a constant wherever these are used, so the
 * compiler leaves one branch.
 */
#ifndef IVB_LIB_TUPLE_H
#define IVB_LIB_TUPLE_H

#include <ivb/abi.h>
#include "pkt/csum.h"
#include "pkt/parse.h"

#ifndef IVB_CTX_H
#error "include a ctx/ header first"
#endif

/* A value that another CPU may change: read or written once. */
#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

union tuple {
	struct ivb_tuple4 v4;
	struct ivb_tuple6 v6;
};

union flow {
	struct ivb_flow flow;
	struct ivb_flow4 v4;
	struct ivb_flow6 v6;
};

/* Bytes of a packet that are sent back in an ICMP error; a multiple of 4. */
#define ICMP_QUOTE 128

/*
 * Memory for what does not fit on the stack of 512 bytes. Each CPU has its own, as nothing else of
 * ours runs on the CPU between the filling and the using.
 */
struct scratch {
	union flow fwd; /* conn_create(), and who sends the connection's first packet */
	union {
		struct { /* conn_create() */
			union flow rep;
			union tuple
				key; /* maps of 6.1 take no key from a global function's caller */
			union tuple rkey;
			struct ivb_port_key pkey;
		};
		struct { /* icmp_build() */
			__u32 quote[ICMP_QUOTE / 4];
			__u8 head[48];
		};
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct scratch);
	__uint(max_entries, 1);
} ivb_scratches SEC(".maps");

/* The CPU's scratch, zeroed. It is NULL for the verifier alone. */
static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&ivb_scratches, &zero);

	if (s)
		__builtin_memset(s, 0, sizeof(*s));
	return s;
}

#define ADDR_WORDS(af) ((af) == AF_INET ? 1 : 4)

#define TUPLE_SADDR(af, t) ((af) == AF_INET ? &(t)->v4.saddr : (t)->v6.saddr)
#define TUPLE_DADDR(af, t) ((af) == AF_INET ? &(t)->v4.daddr : (t)->v6.daddr)
#define TUPLE_SPORT(af, t) (*((af) == AF_INET ? &(t)->v4.sport : &(t)->v6.sport))
#define TUPLE_DPORT(af, t) (*((af) == AF_INET ? &(t)->v4.dport : &(t)->v6.dport))
/* Both ports, as they stand in a packet. */
#define TUPLE_PORTS(af, t) (*(__u32 *)((af) == AF_INET ? &(t)->v4.sport : &(t)->v6.sport))
#define FLOW_PORTS(f) (*(const __u32 *)&(f)->sport)
#define FLOW_SADDR(af, f) ((af) == AF_INET ? &(f)->v4.saddr : (f)->v6.saddr)
#define FLOW_DADDR(af, f) ((af) == AF_INET ? &(f)->v4.daddr : (f)->v6.daddr)

/* Bytes to make linear so that no header behind off is cut: the whole frame if it is shorter. */
static __always_inline __u32 headers_max(const struct ivb_ctx *ctx, __u32 off)
{
	__u32 len = ctx_len(ctx);

	return len < off + IVB_HEADERS_MAX ? len : off + IVB_HEADERS_MAX;
}

static __always_inline void addr_copy(const int af, __be32 *to, const __be32 *from)
{
	to[0] = from[0];
	if (af == AF_INET6) {
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
	}
}

static __always_inline bool addr_equal(const int af, const __be32 *a, const __be32 *b)
{
	return a[0] == b[0] && (af == AF_INET || (a[1] == b[1] && a[2] == b[2] && a[3] == b[3]));
}

static __always_inline bool addr_zero(const int af, const __be32 *a)
{
	return !(af == AF_INET ? a[0] : (a[0] | a[1] | a[2] | a[3]));
}

/* Delta of a checksum that covers the address. */
static __always_inline __u64 addr_delta(const int af, const __be32 *from, const __be32 *to)
{
	__u64 sum = csum_word(from[0], to[0]);

	if (af == AF_INET6)
		sum += csum_word(from[1], to[1]) + csum_word(from[2], to[2]) +
		       csum_word(from[3], to[3]);
	return sum;
}

static __always_inline void tuple_set_proto(const int af, union tuple *t, __u8 proto)
{
	if (af == AF_INET) {
		t->v4.proto = proto;
		t->v4.zone = ivb_zone;
	} else {
		t->v6.proto = proto;
		t->v6.zone = ivb_zone;
	}
}

static __always_inline void tuple_copy_zone(const int af, union tuple *to, const union tuple *from)
{
	if (af == AF_INET)
		to->v4.zone = from->v4.zone;
	else
		to->v6.zone = from->v6.zone;
}

static __always_inline __u8 tuple_proto(const int af, const union tuple *t)
{
	return af == AF_INET ? t->v4.proto : t->v6.proto;
}

/* Where the packet's addresses stand. The caller has checked the bounds of the IP header. */
static __always_inline __be32 *pkt_addrs(const int af, void *data)
{
	return data + ETH_HLEN +
	       (af == AF_INET ? offsetof(struct iphdr, saddr) : offsetof(struct ipv6hdr, saddr));
}

/* A hash of one round: it tells values apart, but its low bits do not spread over a table. */
static __always_inline __u32 mix(__u64 a, __u64 b)
{
	a ^= b * 0x9e3779b97f4a7c15ull;
	a ^= a >> 32;
	a *= 0xd6e8feb86659fd93ull;
	return a >> 32;
}

/* A hash that is spread evenly over 0 .. size - 1. */
static __always_inline __u32 spread(__u64 a, __u64 b, __u32 size)
{
	__u64 x = a ^ b * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x >> 32) * size >> 32;
}

/* A tag tells flows apart whose elements were reused while somebody held a pointer. */
static __always_inline __u32 tuple_tag(const int af, const union tuple *t)
{
	const __u32 *h = (const __u32 *)t;
	const __u64 *w = (const __u64 *)t;

	/* by halves: the processor would wait for what it has just written by halves */
	if (af == AF_INET)
		return mix(h[0] | (__u64)h[1] << 32, h[2] | (__u64)h[3] << 32);
	return mix(w[0] ^ (w[2] << 7 | w[2] >> 57), w[1] ^ (w[3] << 13 | w[3] >> 51)) ^
	       mix(w[4], w[0]);
}

/* The flow's translated tuple, turned round: the key of the connection's other direction. */
static __always_inline void flow_peer_key(const int af, const union flow *f, __u8 proto,
					  union tuple *peer)
{
	__builtin_memset(peer, 0, sizeof(*peer));
	addr_copy(af, TUPLE_SADDR(af, peer), FLOW_DADDR(af, f));
	addr_copy(af, TUPLE_DADDR(af, peer), FLOW_SADDR(af, f));
	TUPLE_SPORT(af, peer) = f->flow.dport;
	TUPLE_DPORT(af, peer) = f->flow.sport;
	tuple_set_proto(af, peer, proto);
}

#endif
