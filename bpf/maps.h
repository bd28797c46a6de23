/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every map, and what user space sets before loading. Sizes given here are placeholders where the
 * loader resizes (see `up --max-conns`); keys and values are in ivb/abi.h.
 */
#ifndef IVB_MAPS_H
#define IVB_MAPS_H

#include <ivb/abi.h>

const volatile __u32 ivb_hz = 250;	    /* jiffies a second */
const volatile __u32 ivb_zone = 0;	    /* of the devices that these programs are attached to */
const volatile __u32 ivb_conn_mask4 = 1023; /* connection slots - 1 */
const volatile __u32 ivb_conn_mask6 = 1023;
const volatile __u32 ivb_nexthop_mask = 1023;
const volatile __u32 ivb_tries_mask = 131071; /* buckets of first_tries - 1 */

__u64 ivb_now_jiffies; /* written by the program now */

#define IVB_ARRAY(name_, value_, entries_, flags_) \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__type(key, __u32);                \
		__type(value, value_);             \
		__uint(max_entries, entries_);     \
		__uint(map_flags, flags_);         \
	} name_ SEC(".maps")

#define IVB_HASH(name_, type_, key_, value_, entries_, flags_) \
	struct {                                               \
		__uint(type, type_);                           \
		__type(key, key_);                             \
		__type(value, value_);                         \
		__uint(max_entries, entries_);                 \
		__uint(map_flags, flags_);                     \
	} name_ SEC(".maps")

/* Connections: preallocated, one entry a direction. */
IVB_HASH(flows4, BPF_MAP_TYPE_HASH, struct ivb_tuple4, struct ivb_flow4, 2048, 0);
IVB_HASH(flows6, BPF_MAP_TYPE_HASH, struct ivb_tuple6, struct ivb_flow6, 2048, 0);
IVB_ARRAY(conns4, struct ivb_conn4, 1024, 0);
IVB_ARRAY(conns6, struct ivb_conn6, 1024, 0);
IVB_ARRAY(clock4, struct ivb_clock_group, 64, 0);
IVB_ARRAY(clock6, struct ivb_clock_group, 64, 0);
/* When which part of the clock has to be looked at; see conn/clock.h. */
IVB_ARRAY(due4, struct ivb_clock_group, 5, 0);
IVB_ARRAY(due6, struct ivb_clock_group, 5, 0);

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

/* The expiry timers. User space must not write here: that would stop them. */
struct hand {
	struct bpf_timer timer;
	__u32 next; /* row of the clock to look at next */
	__u32 pad_;
	struct sweep sweep;
};
IVB_ARRAY(hand4, struct hand, 1, 0);
IVB_ARRAY(hand6, struct hand, 1, 0);
IVB_ARRAY(sweeps, struct ivb_sweep, 2, 0);

/* Where the search for a free connection slot goes on, a CPU each; index 0 IPv4, 1 IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 2);
} cursors SEC(".maps");

/* Half-open connections, and what decides about new ones; see engine_bpf/half_open.h. */
IVB_ARRAY(half_open4, struct ivb_half_open, 512, 0);
IVB_ARRAY(half_open6, struct ivb_half_open, 512, 0);
IVB_ARRAY(admission, struct ivb_admission, 2, 0);
IVB_ARRAY(first_tries, struct ivb_tries, 131072, 0);

/* Configuration: written by user space. */
IVB_HASH(services, BPF_MAP_TYPE_HASH, struct ivb_service_key, struct ivb_service, 32768,
	 BPF_F_RDONLY_PROG | BPF_F_NO_PREALLOC);
IVB_ARRAY(service_state, struct ivb_service_state, 32768, 0);
IVB_ARRAY(dests, struct ivb_dest, 131072, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
IVB_ARRAY(dest_conns, struct ivb_dest_conns, 131072, BPF_F_MMAPABLE);
/* User space's: what `adm -Z` has set to zero. */
IVB_ARRAY(dest_bases, struct ivb_traffic, 131072, BPF_F_RDONLY_PROG);
IVB_ARRAY(scheds, struct ivb_sched, 65536, BPF_F_MMAPABLE);
IVB_ARRAY(ring, __u32, 2097152, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
IVB_ARRAY(config, struct ivb_config, 1, BPF_F_RDONLY_PROG);
IVB_ARRAY(snat_ports, struct ivb_port_group, 65536 / IVB_PORT_GROUP, BPF_F_RDONLY_PROG);
IVB_HASH(port_maps, BPF_MAP_TYPE_LRU_HASH, struct ivb_port_key, struct ivb_port_map, 512, 0);
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
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct port_want);
	__uint(max_entries, 2);
} port_want SEC(".maps");
/* When less than half of some address's ports were free towards a server; jiffies, not exact. */
__u32 ivb_ports_half;
IVB_ARRAY(port_blank, struct ivb_port_map, 1, BPF_F_RDONLY_PROG);
IVB_HASH(non_masq, BPF_MAP_TYPE_LPM_TRIE, struct ivb_prefix, __u32, 1024,
	 BPF_F_RDONLY_PROG | BPF_F_NO_PREALLOC);
IVB_HASH(devs, BPF_MAP_TYPE_HASH, __u32, struct ivb_dev, 256, BPF_F_RDONLY_PROG);
IVB_ARRAY(meta, struct ivb_meta, 1, BPF_F_RDONLY_PROG);

/* The ipvs engine. */
IVB_HASH(kernel_conns, BPF_MAP_TYPE_HASH, __u64, struct ivb_kernel_conn, 2048, BPF_F_NO_PREALLOC);
IVB_HASH(kernel_replies, BPF_MAP_TYPE_HASH, struct ivb_reply_key, struct ivb_kernel_reply, 2048,
	 BPF_F_NO_PREALLOC);
IVB_HASH(kernel_snat, BPF_MAP_TYPE_HASH, struct ivb_service_key, __u32, 4096,
	 BPF_F_RDONLY_PROG | BPF_F_NO_PREALLOC);
IVB_HASH(kernel_tunnels, BPF_MAP_TYPE_LRU_HASH, struct ivb_tunnel_key, struct ivb_tunnel, 1024, 0);
IVB_HASH(kernel_services, BPF_MAP_TYPE_HASH, struct ivb_service_key, __u32, 65536,
	 BPF_F_NO_PREALLOC);
IVB_ARRAY(kernel_dests, struct ivb_kernel_dest, IVB_KERNEL_DESTS, 0);
IVB_HASH(kernel_traffic, BPF_MAP_TYPE_LRU_HASH, struct ivb_traffic_key, struct ivb_traffic, 16384,
	 0);

IVB_ARRAY(nexthops, struct ivb_nexthop, 1024, 0);
IVB_HASH(frags, BPF_MAP_TYPE_LRU_HASH, struct ivb_frag_key, struct ivb_frag, 16384, 0);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct ivb_counter);
	__uint(max_entries, IVB_R_MAX_);
} counters SEC(".maps");

/* Tokens for the ICMP errors that we send, a CPU each. */
struct icmp_bucket {
	__u32 stamp; /* jiffies of the last refill */
	__u32 tokens;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct icmp_bucket);
	__uint(max_entries, 1);
} icmp_tokens SEC(".maps");

/* IPv6 is a program of its own, loaded with the first IPv6 service. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 4);
} progs SEC(".maps");
enum { PROG_INGRESS6, PROG_EGRESS6, PROG_EGRESS4, PROG_INGRESS4 };

/* The map of a family, chosen when compiling. */
#define MAP_OF(af, name) ((af) == AF_INET ? (void *)&name##4 : (void *)&name##6)
#define CONN_MASK(af) ((af) == AF_INET ? ivb_conn_mask4 : ivb_conn_mask6)
#define FAMILY_INDEX(af) ((af) == AF_INET ? 0 : 1)

#endif
