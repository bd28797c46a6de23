/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps, which are the rows of ivb/maps.def, and what user space sets before loading. Values of
 * ivb/abi.h are user space's as well; those that are here only the programs know.
 */
#ifndef IVB_MAPS_H
#define IVB_MAPS_H

#include <ivb/abi.h>
#include <ivb/progs.h>

#include "engine_ipvs/note_types.h"

const volatile __u32 ivb_hz = 250;	    /* jiffies a second */
const volatile __u32 ivb_zone = 0;	    /* of the devices that these programs are attached to */
const volatile __u32 ivb_conn_mask4 = 1023; /* connection slots - 1 */
const volatile __u32 ivb_conn_mask6 = 1023;
const volatile __u32 ivb_nexthop_mask = 1023;
const volatile __u32 ivb_tries_mask = 131071; /* buckets of first_tries - 1 */

__u64 ivb_now_jiffies; /* written by the program now */

/* A sweep under way; not on the stack, of which the removal of a connection needs most. */
struct sweep {
	__u32 busy;   /* 1: a CPU is at it */
	__u32 now;    /* jiffies */
	__u32 over;   /* 1: the budget is spent, what is left waits for the next sweep */
	__u32 looks;  /* at groups of connections */
	__u64 began;  /* ns */
	__u64 budget; /* ns */
	__u64 expired;
	__u64 stale;
};

/* An expiry timer, and where it is. */
struct hand {
	struct bpf_timer timer;
	__u32 next; /* row of the clock to look at next */
	__u32 pad_;
	struct sweep sweep;
};

/*
 * Whose free ports are few; and the reply key that is looked for (there is no room on the stack). A
 * CPU each: those that make connections are those that make room.
 */
struct port_want {
	struct ivb_port_key key;
	__u32 wanted;
	union {
		struct ivb_tuple4 v4;
		struct ivb_tuple6 v6;
	} reply;
};

/* When less than half of some address's ports were free towards a server; jiffies, not exact. */
__u32 ivb_ports_half;

/* Tokens for the ICMP errors that we send, a CPU each. */
struct icmp_bucket {
	__u32 stamp; /* jiffies of the last refill */
	__u32 tokens;
};

/* The loader makes tables of the size that `up --max-conns` says. */
#define IVB_CONNS4 1024
#define IVB_CONNS6 1024

#define IVB_OWN_MAP(name, type_, key_, value_, entries_, flags_, family, taken) \
	struct {                                                                \
		__uint(type, BPF_MAP_TYPE_##type_);                             \
		__type(key, key_);                                              \
		__type(value, value_);                                          \
		__uint(max_entries, entries_);                                  \
		__uint(map_flags, flags_);                                      \
	} ivb_##name SEC(".maps");
#define IVB_MAP(id, ...) IVB_OWN_MAP(__VA_ARGS__)
#include <ivb/maps.def>

/* Programs of a zone's that others lead to; IPv6's are loaded with the first IPv6 service. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, IVB_PROG_MAX_);
} ivb_progs SEC(".maps");

/* The map of a family, chosen when compiling. */
#define MAP_OF(af, name) ((af) == AF_INET ? (void *)&ivb_##name##4 : (void *)&ivb_##name##6)
#define CONN_MASK(af) ((af) == AF_INET ? ivb_conn_mask4 : ivb_conn_mask6)
#define FAMILY_INDEX(af) ((af) == AF_INET ? 0 : 1)

#endif
