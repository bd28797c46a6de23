/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and values of SNAT, its policies and ports: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_SNAT_H
#define IVB_ABI_SNAT_H

#include <linux/types.h>
#include <ivb/abi/addr.h>

enum ivb_snat {
	IVB_SNAT_DEFAULT, /* a service's: what ivb_config says */
	IVB_SNAT_NEVER,
	IVB_SNAT_AUTO, /* all clients but those in non_masq */
	IVB_SNAT_ALWAYS,
	IVB_SNAT_MAX_,
};

#define IVB_SNAT_ADDRS 16 /* of each family; a power of two */
#define IVB_PORT_GROUP 32

/*
 * snat_ports (array): the ports that SNAT may use. Together the entries hold a list of them, in
 * ascending order and packed, and a bit for each of the 65536.
 */
struct ivb_port_group {
	__u16 port[IVB_PORT_GROUP]; /* the nth port of the list: entry n / 32, here n % 32 */
	__u32 allowed;		    /* port p: entry p / 32, bit p % 32 */
};

/* port_maps (LRU hash): of a source address towards one server, when ports begin to be scarce. */
struct ivb_port_key {
	union ivb_addr saddr; /* SNAT's */
	union ivb_addr daddr; /* the server's */
	__be16 dport;
	__u8 proto;
	__u8 af;
	__u32 zone;
};

/* port_blank (array of one): what a new one begins as, with the ports that may not be used marked. */
struct ivb_port_map {
	__u64 full[65536 / 64 / 64];	      /* a bit for each word of used that has no 0 */
	__u64 used[65536 / 64];		      /* a bit for each port */
	__u64 some_given_up[65536 / 64 / 64]; /* a bit for each word of given_up that is not 0 */
	/* ports of connections that have ended, and are kept for a while */
	__u64 given_up[65536 / 64];
	__u32 cursor; /* the last port that was found free */
	__u32 turn;   /* index into snat_ports: the last port looked at to be reclaimed */
	__u32 free;
	__u32 given_up_cursor;
	__u64 reclaimed; /* from connections that had ended, or never began */
};

/* non_masq (LPM trie): clients that `--snat auto` leaves alone */
struct ivb_prefix {
	__u32 prefixlen; /* 32 + the prefix's own length */
	__u32 af;	 /* AF_INET, AF_INET6; compared whole */
	union ivb_addr addr;
};

_Static_assert(sizeof(struct ivb_port_key) == 40, "port_maps key");

#endif
