/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and values of every pinned map: the only types that the BPF programs and user space share.
 * A change of any of them is a new IVB_ABI, hence a new pin folder (v<ABI>); see there.
 * Addresses and ports are in network byte order, everything else in the host's.
 * Times are the low 32 bits of jiffies64 (ivb_meta.hz a second) and are compared as serial numbers.
 */
#ifndef IVB_ABI_H
#define IVB_ABI_H

#include <linux/types.h>

/*
 * `up` takes over an instance of another ABI, older or newer, with all its connections, if one
 * number is not below the other's IVB_ABI_OLDEST. For that: keys stay as they are; values grow at
 * their end only, so that the shorter one is a prefix, and what is appended means with 0 what it
 * meant without it; a bit or number that had a meaning keeps it; tuple_tag() and nexthop_index()
 * stay, and so do the ports that a SNAT key chooses (another director may have that of an older
 * one). Whoever breaks this sets IVB_ABI_OLDEST to the new number: `up` then refuses, with a word.
 */
#define IVB_ABI 3
#define IVB_ABI_OLDEST 2

#include <ivb/abi/addr.h>
#include <ivb/abi/flow.h>
#include <ivb/abi/conn.h>
#include <ivb/abi/service.h>
#include <ivb/abi/sched.h>
#include <ivb/abi/snat.h>
#include <ivb/abi/config.h>
#include <ivb/abi/ipvs.h>

#endif
