/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hooks on kernel IPVS tell the egress program of a packet (engine_ipvs/note.h): the types alone,
 * which the packet tests write as well.
 */
#ifndef IVB_ENGINE_IPVS_NOTE_TYPES_H
#define IVB_ENGINE_IPVS_NOTE_TYPES_H

#include <ivb/abi.h>

enum note_flags {
	NOTE_REPLY = 1 << 0, /* from the server; else from the client */
	NOTE_NOT_OURS =
		1 << 1, /* not for us: conntrack's, an application's, another way of forwarding */
	NOTE_DONE = 1 << 2,	 /* the packet has come */
	NOTE_MASTER = 1 << 3,	 /* the sync daemon tells a backup of connections */
	NOTE_SYNCED = 1 << 4,	 /* and of this one with this packet */
	NOTE_DIRECT = 1 << 5,	 /* direct routing: the packet is as the client has sent it */
	NOTE_NO_CT = 1 << 6,	 /* conntrack has no entry of the packet */
	NOTE_TUNNEL = 1 << 7,	 /* with DIRECT: and it is in an IP packet to the server */
	NOTE_PMTU_DISC = 1 << 8, /* with TUNNEL: whose DF bit is that of the packet inside */
};

struct note {
	__u64 skb;
	__u64 cp;
	union ivb_addr caddr;
	union ivb_addr vaddr;
	union ivb_addr daddr;
	__be16 cport;
	__be16 vport;
	__be16 dport;
	__u16 flags; /* enum note_flags */
	__u8 af;
	__u8 proto;
	__u16 state;   /* enum ivb_conn_state */
	__u32 timeout; /* jiffies, of the connection */
	__u32 lease;   /* jiffies that this packet is worth; 0 = none */
	__u32 dest;    /* index into kernel_dests */
	__u32 epoch;
	__be32 frag_id; /* of the datagram whose first fragment has come; valid with has_frag */
	__u32 has_frag;
};

struct notes {
	struct note from[2]; /* client, server */
	__u64 number;	     /* a pointer on its way to become one */
	__u32 writes;	     /* begun; a local client's may be interrupted by others */
	__u32 pad_;
};

#endif
