/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-1-3 of one 32-bit word, in the host's byte order, folded to 32 bits: what mh hashes with,
 * in the programs and where user space makes its table. As the kernel's hsiphash() of 64-bit
 * machines (include/linux/siphash.h, lib/siphash.c).
 */
#ifndef IVB_SIPHASH_H
#define IVB_SIPHASH_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* mh's keys (net/netfilter/ipvs/ip_vs_mh.c): both halves are the same. */
#define IVB_MH_KEY1 2654435761ull
#define IVB_MH_KEY2 2654446892ull

struct ivb_sip {
	__u64 a, b, c, d;
};

static __always_inline __u64 ivb_rol64(__u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static __always_inline void ivb_sip_round(struct ivb_sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = ivb_rol64(s->b, 13) ^ s->a;
	s->d = ivb_rol64(s->d, 16) ^ s->c;
	s->a = ivb_rol64(s->a, 32) + s->d;
	s->c += s->b;
	s->d = ivb_rol64(s->d, 21) ^ s->a;
	s->b = ivb_rol64(s->b, 17) ^ s->c;
	s->c = ivb_rol64(s->c, 32);
}

/* The key's halves are both key. */
static __always_inline __u32 ivb_hsiphash(__u32 word, __u64 key)
{
	struct ivb_sip s = {
		.a = 0x736f6d6570736575ull ^ key,
		.b = 0x646f72616e646f6dull ^ key,
		.c = 0x6c7967656e657261ull ^ key,
		.d = 0x7465646279746573ull ^ key,
	};
	__u64 m = 4ull << 56 | word; /* the length, and what is left of the message */

	s.d ^= m;
	ivb_sip_round(&s);
	s.a ^= m;
	s.c ^= 0xff;
	ivb_sip_round(&s);
	ivb_sip_round(&s);
	ivb_sip_round(&s);
	return (__u32)(s.a ^ s.b ^ s.c ^ s.d);
}

#endif
