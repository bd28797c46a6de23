/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which ports of a source address are in use towards one server: a bitmap as a hint where the free
 * ones are. Whether a port is free is decided by the insertion of the reply flow alone, so a bitmap
 * that is lost (the map is an LRU) or wrong costs time and nothing else. It is made when the first
 * ports that are tried are taken, or with one connection of many: it has to know of those that were
 * made before.
 */
#ifndef IVB_SNAT_PORTS_H
#define IVB_SNAT_PORTS_H

#include "lib/verdict.h"
#include "lib/tuple.h"

#define PORT_WORDS (65536 / 64)

#define PORT_MAP_ONE_IN \
	63 /* less one: connections that there are before the bitmap, more or less */

#define PORTS_MANY 4096 /* with less there is a bitmap from the first connection on */

/* So few are left that those of ended connections are made free. */
#define PORTS_FEW(num) ((num) < 8 ? 1 : (num) < 8192 ? (num) / 8 : 1024)

/* Hidden from clang, which would leave out what the verifier wants to see (clang 14, 6.1). */
static __always_inline __u32 masked(__u32 i, __u32 mask)
{
	asm volatile("" : "+r"(i));
	return i & mask;
}

/* Where a port's bit is, and that of its word. */
#define USED(m, word) ((m)->used[masked(word, PORT_WORDS - 1)])
#define GIVEN_UP(m, word) ((m)->given_up[masked(word, PORT_WORDS - 1)])
#define SOME_GIVEN_UP(m, word) ((m)->some_given_up[masked((word) / 64, PORT_WORDS / 64 - 1)])
#define FULL(m, word) ((m)->full[masked((word) / 64, PORT_WORDS / 64 - 1)])

/*
 * Which ports belong to connections that have ended is kept when half of them are in use; before
 * nobody asks, and to mark each would cost a lookup and a cold cache line. What has ended before
 * is free of itself long before this time is over.
 */
#define PORTS_HALF_S 600

static __always_inline void ports_note_half(const struct ivb_port_map *m, __u32 num)
{
	if (m->free < num / 2)
		WRITE_ONCE(ivb_ports_half, (__u32)bpf_jiffies64() | 1); /* 0: never */
}

static __always_inline bool ports_are_half(void)
{
	__u32 at = READ_ONCE(ivb_ports_half);

	return at && (__s32)((__u32)bpf_jiffies64() - at) < (__s32)(PORTS_HALF_S * ivb_hz);
}

/* What the bitmap of a flow's (or pair's) ports is found by. */
static __always_inline void port_key(const int af, struct ivb_port_key *k, const __be32 *saddr,
				     const __be32 *daddr, __be16 dport, __u32 proto, __u32 zone)
{
	__builtin_memset(k, 0, sizeof(*k));
	addr_copy(af, k->saddr.ip6, saddr);
	addr_copy(af, k->daddr.ip6, daddr);
	k->dport = dport;
	k->proto = proto;
	k->af = af;
	k->zone = zone;
}

/* Whether somebody has the port, as far as the bitmap knows. */
static __always_inline bool port_used(struct ivb_port_map *m, __u32 port)
{
	return READ_ONCE(USED(m, port / 64)) >> (port & 63) & 1;
}

/* Marks a port; true if it was not. */
static __always_inline bool port_mark(struct ivb_port_map *m, __u32 port)
{
	__u64 bit = 1ull << (port & 63), word_bit, old;
	__u32 word = port / 64;

	old = __sync_fetch_and_or(&USED(m, word), bit);
	if (old & bit)
		return false;
	__sync_fetch_and_add(&m->free, -1);
	if ((old | bit) == ~0ull) {
		word_bit = 1ull << (word & 63);
		__sync_fetch_and_or(&FULL(m, word), word_bit);
		/* somebody may have freed one in between */
		if (READ_ONCE(USED(m, word)) != ~0ull)
			__sync_fetch_and_and(&FULL(m, word), ~word_bit);
	}
	return true;
}

/* The connection at the port has ended. */
static __always_inline void port_set_given_up(struct ivb_port_map *m, __u32 port)
{
	__u32 word = port / 64;

	__sync_fetch_and_or(&GIVEN_UP(m, word), 1ull << (port & 63));
	__sync_fetch_and_or(&SOME_GIVEN_UP(m, word), 1ull << (word & 63));
}

static __always_inline void port_clear_given_up(struct ivb_port_map *m, __u32 port)
{
	__u32 word = port / 64;

	if (!(GIVEN_UP(m, word) >> (port & 63) & 1))
		return;
	__sync_fetch_and_and(&GIVEN_UP(m, word), ~(1ull << (port & 63)));
	if (READ_ONCE(GIVEN_UP(m, word)))
		return;
	__sync_fetch_and_and(&SOME_GIVEN_UP(m, word), ~(1ull << (word & 63)));
	/* somebody may have set one in between */
	if (READ_ONCE(GIVEN_UP(m, word)))
		__sync_fetch_and_or(&SOME_GIVEN_UP(m, word), 1ull << (word & 63));
}

static __always_inline void port_unmark(struct ivb_port_map *m, __u32 port)
{
	__u32 word = port / 64;
	__u64 bit = 1ull << (port & 63);

	if (__sync_fetch_and_and(&USED(m, word), ~bit) & bit)
		__sync_fetch_and_add(&m->free, 1);
	port_clear_given_up(m, port);
	__sync_fetch_and_and(&FULL(m, word), ~(1ull << (word & 63)));
}

/* The lowest bit that is set, of a word that is not 0: how many bits are below it. No branches. */
static __always_inline __u32 lowest_bit(__u64 w)
{
	w = (w & -w) - 1;
	w -= w >> 1 & 0x5555555555555555ull;
	w = (w & 0x3333333333333333ull) + (w >> 2 & 0x3333333333333333ull);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return w * 0x0101010101010101ull >> 56;
}

/*
 * The next bit after this one in a summary of PORT_WORDS bits, turned over with flip; PORT_WORDS:
 * none.
 */
static __always_inline __u32 bit_after(const __u64 *summary, __u32 word, __u64 flip)
{
	__u32 i, group;
	__u64 bits;

	word = masked(word + 1, PORT_WORDS - 1);
	group = word / 64;
	bits = (summary[masked(group, PORT_WORDS / 64 - 1)] ^ flip) & ~0ull << (word & 63);
	for (i = 0; i < PORT_WORDS / 64 && !bits; i++) {
		group = masked(group + 1, PORT_WORDS / 64 - 1);
		bits = summary[group] ^ flip;
	}
	return bits ? group * 64 + lowest_bit(bits) : PORT_WORDS;
}

/*
 * The next port after this one whose bit in the map is not flip's, with a summary of the words that
 * have such a bit; 0: none.
 */
static __always_inline __u32 port_after(const __u64 *map, const __u64 *summary, __u32 port,
					__u64 flip)
{
	__u32 at = (port + 1) & 0xffff, word = at / 64;
	__u64 bits = (map[masked(word, PORT_WORDS - 1)] ^ flip) & ~0ull << (at & 63);

	if (!bits) {
		word = bit_after(summary, word, flip);
		if (word >= PORT_WORDS)
			return 0;
		bits = map[masked(word, PORT_WORDS - 1)] ^ flip;
	}
	return bits ? word * 64 + lowest_bit(bits) : 0;
}

/*
 * Takes the next free port: the one that has been free for longest, nearly, as the search goes on
 * where the last one ended; or, astray, any. 0: there is none, or another CPU was faster.
 */
GLOBAL __u32 port_free(struct ivb_port_map *m, bool astray)
{
	__u32 port;

	if (!m)
		return 0;
	port = port_after(m->used, m->full, astray ? bpf_get_prandom_u32() : m->cursor, ~0ull);
	if (!port)
		return 0;
	if (!astray)
		m->cursor = port;
	return port_mark(m, port) ? port : 0;
}

/* The next port that is kept for no more than its ended connection; 0: there is none. */
GLOBAL __u32 port_next_given_up(struct ivb_port_map *m)
{
	__u32 port;

	if (!m)
		return 0;
	port = port_after(m->given_up, m->some_given_up, m->given_up_cursor, 0);
	if (port)
		m->given_up_cursor = port;
	return port;
}

/* Has port_room() make some free, with the next packet of a connection that is not known. */
static __always_inline void port_wanted(const struct ivb_port_key *k)
{
	__u32 family = k->af == AF_INET ? 0 : 1;
	struct port_want *w = bpf_map_lookup_elem(&port_want, &family);

	if (!w || READ_ONCE(w->wanted))
		return;
	w->key = *k;
	WRITE_ONCE(w->wanted, 1);
}

/* A forward flow with SNAT has ended. */
static __always_inline int port_release(const int af, const union flow *f, __u32 proto, __u32 zone)
{
	struct ivb_port_key k;
	struct ivb_port_map *m;

	port_key(af, &k, FLOW_SADDR(af, f), FLOW_DADDR(af, f), f->flow.dport, proto, zone);
	m = bpf_map_lookup_elem(&port_maps, &k);
	if (m)
		port_unmark(m, bpf_ntohs(f->flow.sport));
	return 0;
}

GLOBAL int port_release4(const struct ivb_flow4 *f, __u32 proto, __u32 zone)
{
	return f ? port_release(AF_INET, (const union flow *)f, proto, zone) : 0;
}

GLOBAL int port_release6(const struct ivb_flow6 *f, __u32 proto, __u32 zone)
{
	return f ? port_release(AF_INET6, (const union flow *)f, proto, zone) : 0;
}

/* The flow's key is a union tuple's. */
#define PORT_RELEASE(af, f, key)                                                                 \
	((af) == AF_INET                                                                         \
		 ? port_release4((const struct ivb_flow4 *)(f), (key)->v4.proto, (key)->v4.zone) \
		 : port_release6((const struct ivb_flow6 *)(f), (key)->v6.proto, (key)->v6.zone))

#endif
