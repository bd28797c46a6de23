/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNV-1a, 64 bits, to tell files apart; not for tables that others fill. */
#ifndef IVB_BASE_HASH_H
#define IVB_BASE_HASH_H

#include <linux/types.h>
#include <stddef.h>

#define IVB_HASH_START 0xcbf29ce484222325ull

static inline __u64 ivb_hash_bytes(__u64 hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n--)
		hash = (hash ^ *p++) * 0x100000001b3ull;
	return hash;
}

#endif
