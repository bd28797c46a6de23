/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and values of the ipvs engine's maps: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_IPVS_H
#define IVB_ABI_IPVS_H

#include <linux/types.h>
#include <ivb/abi/addr.h>

enum ivb_kernel_conn_flags {
	/* older than our hooks: its server knows the client's own address */
	IVB_KERNEL_EXISTED = 1 << 0,
};

/*
 * Seconds that a connection of kernel IPVS has here beyond the kernel's own timeout: when they are
 * over, its end has been missed.
 */
#define IVB_KERNEL_GRACE_S 90

/* kernel_conns (hash, by the address of struct ip_vs_conn): which connection of ours is its. */
struct ivb_kernel_conn {
	__u32 conn; /* id, or IVB_NONE: only the flags count */
	__u32 gen;
	__u32 synced; /* jiffies when kernel IPVS last told its backup of it; 0 = never */
	__u16 flags;  /* enum ivb_kernel_conn_flags */
	__u8 af;
	__u8 pad_;
};

#define IVB_KERNEL_DESTS 1024

/*
 * kernel_dests (array, by a hash of struct ip_vs_dest's address): moves when such a server is removed,
 * which ends the leases of its connections at once.
 */
struct ivb_kernel_dest {
	__u32 epoch;
};

/* kernel_snat (hash, ivb_service_key to enum ivb_snat): services of kernel IPVS's with a policy of their own. */

/* kernel_tunnels (LRU hash): how kernel IPVS sends to a server in a tunnel; learnt from its packets. */
struct ivb_tunnel_key {
	union ivb_addr server;
	__u32 af;
};

struct ivb_tunnel {
	union ivb_addr source;
	__be16 df; /* IPv4: what the outer header takes over of the inner one's frag_off */
	__u16 pad_;
};

/* kernel_services (hash, ivb_service_key to 1): services of kernel IPVS whose connections may be carried. */

/*
 * kernel_replies (hash): how many connections have replies that are the same to kernel IPVS, as it
 * sees them (SNAT undone); no direct routing.
 */
struct ivb_reply_key {
	union ivb_addr server;
	union ivb_addr client;
	__be16 sport; /* the server's */
	__be16 dport;
	__u8 proto;
	__u8 af;
	__u16 pad_;
};

struct ivb_kernel_reply {
	__u64 held; /* low half: connections, or all ones: being deleted; high half: of the key */
	__u32 conn; /* the one that was alone at first, or was */
	__u32 gen;
};

/* kernel_traffic (LRU hash): what was carried for ended connections of kernel IPVS. */
struct ivb_traffic_key {
	union ivb_addr vaddr;
	union ivb_addr daddr;
	__be16 vport;
	__be16 dport;
	__u8 proto;
	__u8 af;
	__u16 pad_;
};

struct ivb_traffic {
	__u64 conns;
	__u64 in_packets;
	__u64 out_packets;
	__u64 in_bytes;
	__u64 out_bytes;
};

_Static_assert(sizeof(struct ivb_kernel_conn) == 16, "kernel_conns value");
_Static_assert(sizeof(struct ivb_reply_key) == 40, "kernel_replies key");
_Static_assert(sizeof(struct ivb_traffic_key) == 40, "kernel_traffic key");

#endif
