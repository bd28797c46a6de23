/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and values of flows, next hops and fragments: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_FLOW_H
#define IVB_ABI_FLOW_H

#include <linux/types.h>
#include <ivb/abi/addr.h>

/* --- flows4, flows6 (hash): one entry for each direction of a connection ------------------- */

/* A packet's tuple as it arrives. zone: the group of devices given at `up --zone`, else 0. */
struct ivb_tuple4 {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u32 proto : 8;
	__u32 zone : 24;
};

struct ivb_tuple6 {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u32 proto : 8;
	__u32 zone : 24;
};

enum ivb_flow_flags {
	IVB_FLOW_REPLY = 1 << 0,       /* server to client */
	IVB_FLOW_SNAT = 1 << 1,	       /* the connection's source is translated too */
	IVB_FLOW_ESTABLISHED = 1 << 2, /* TCP: packets without SYN, FIN, RST change no state */
	IVB_FLOW_KERNEL = 1 << 3,      /* kernel IPVS's connection (the ipvs engine) */
	IVB_FLOW_LOCAL = 1 << 4,       /* of a client on the director: replies go to the stack */
	IVB_FLOW_AMBIGUOUS = 1 << 5,   /* kernel IPVS could not tell whose reply this is */
	IVB_FLOW_DIRECT = 1 << 6, /* direct routing: to the server's MAC, nothing is translated */
	IVB_FLOW_COPY = 1 << 7,	  /* conntrack is at work: of FIN and RST kernel IPVS gets a copy */
	IVB_FLOW_TUNNEL = 1 << 8, /* with DIRECT: encapsulated to the server, IP in IP */
	IVB_FLOW_SERVER_FIRST = 1 << 9, /* reply: the server closed first, and has TIME_WAIT */
	IVB_FLOW_UNCOUNTED = 1 << 10,	/* kernel IPVS's, and kernel_replies does not count it */
};

/*
 * The part of a flow that both families share; the new addresses follow it.
 * Elements of a preallocated hash are reused at once, so a pointer to a value may turn into another
 * connection's: readers copy what they need and then compare tag with their own key's.
 */
struct ivb_flow {
	__u32 tag;	/* hash of the key; the first word, so that it is written first */
	__u32 conn;	/* index into conns and clock: the connection's id */
	__u32 conn_gen; /* ivb_conn.gen of that connection */
	union {
		__u32 service; /* slot */
		__u32 epoch;   /* IVB_FLOW_KERNEL: kernel_dests' when the lease was given */
	};
	__u32 dest;	   /* slot; IVB_FLOW_KERNEL: index into kernel_dests */
	__u32 nexthop;	   /* index into nexthops */
	__u16 flags;	   /* enum ivb_flow_flags */
	__u16 addr_delta;  /* ones' complement sum of new minus old addresses */
	__u16 tuple_delta; /* the same of addresses and ports */
	__u16 pad_;
	union {
		__u32 last_seen; /* jiffies; written once a second at most */
		__u32 lease; /* IVB_FLOW_KERNEL: carried here until then (jiffies); 0 = never yet */
	};
	__be16 sport; /* new ports */
	__be16 dport;
	__u64 packets; /* carried in this direction; IP packets, a GSO packet counts as one */
	__u64 bytes;   /* of IP packets as received, link-layer header not included */
};

struct ivb_flow4 {
	struct ivb_flow flow;
	__be32 saddr; /* new addresses */
	__be32 daddr;
};

struct ivb_flow6 {
	struct ivb_flow flow;
	__be32 saddr[4];
	__be32 daddr[4];
};

/* --- nexthops (array): shared by all flows between the same two addresses ------------------- */

/*
 * A cache with direct addressing: a flow knows the index, and saddr and daddr tell whether the entry
 * speaks of the flow's own (translated) addresses; zones may use the same. Valid for one second.
 */
struct ivb_nexthop {
	__u32 lock;  /* 1 while a CPU writes */
	__u32 stamp; /* jiffies | 1 of the last refresh, 0 = not valid */
	__u32 ifindex;
	__u32 mtu; /* of the route, or the device's */
	__u8 smac[6];
	__u8 dmac[6];
	union ivb_addr saddr;
	union ivb_addr daddr;
	__u32 zone;
};

/* --- frags (LRU hash): what the first fragment seen decided for its datagram ---------------- */

struct ivb_frag_key {
	union ivb_addr saddr;
	union ivb_addr daddr;
	__be32 id; /* IPv4: the 16-bit id; IPv6: the fragment header's */
	__u32 proto : 8;
	__u32 zone : 24;
};

enum ivb_frag_fate {
	IVB_FRAG_PASSED, /* to the stack as it is, and so is the rest of the datagram */
	IVB_FRAG_CARRIED,
	IVB_FRAG_SLOW, /* IVB_FLOW_KERNEL: to kernel IPVS, SNAT undone */
};

struct ivb_frag {
	__be16 sport;
	__be16 dport;
	__u32 fate;  /* enum ivb_frag_fate */
	__u32 stamp; /* jiffies */
};

_Static_assert(sizeof(struct ivb_tuple4) == 16, "flows4 key");
_Static_assert(sizeof(struct ivb_tuple6) == 40, "flows6 key");
_Static_assert(sizeof(struct ivb_flow4) == 64, "flows4 value: a cache line");
_Static_assert(sizeof(struct ivb_flow6) == 88, "flows6 value");
_Static_assert(sizeof(struct ivb_nexthop) == 64, "nexthops value: a cache line");

#endif
