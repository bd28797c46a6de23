/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Destination hashing (net/netfilter/ipvs/ip_vs_dh.c): by the packet's destination address. */
#ifndef IVB_SCHED_DH_H
#define IVB_SCHED_DH_H

#include "sched/hash.h"

#define DH_SIZE 256

/* value: the folded destination address. */
GLOBAL __u32 dh_schedule(__u32 sched, __u32 value)
{
	__u32 first = table_first(sched, DH_SIZE);

	return first == IVB_NONE ? IVB_NONE : table_dest(first, hash_8_bits(value));
}

#endif
