/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and values of services and servers: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_SERVICE_H
#define IVB_ABI_SERVICE_H

#include <linux/types.h>
#include <ivb/abi/addr.h>

/* --- services (hash), dests, dest_conns (array): written by user space alone, but for the counts */

struct ivb_service_key {
	union ivb_addr addr;
	__be16 port;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 af;    /* AF_INET, AF_INET6 */
	__u32 zone;
};

enum ivb_service_flags {
	/* sh, mh: another server if the right one takes none */
	IVB_SERVICE_SCHED_FALLBACK = 1 << 0,
	/* sh, mh: by the client's port as well */
	IVB_SERVICE_SCHED_PORT = 1 << 1,
};

/* Replaced whole by one update, which is what makes a change of the service visible to packets. */
struct ivb_service {
	__u32 slot;	  /* index into service_state and, times two, into scheds */
	__u32 sched;	  /* index into scheds: slot * 2 or slot * 2 + 1 */
	__u32 first_dest; /* head of the list of dests (ivb_dest.next), newest first, or IVB_NONE */
	__u32 num_dests;
	__u8 scheduler; /* enum ivb_scheduler */
	__u8 snat;	/* enum ivb_snat */
	__u16 flags;	/* enum ivb_service_flags */
};

/* The timeouts that can be set, as in ipvsadm's --set; jiffies, 0 = ivb_config's. */
struct ivb_timeouts {
	__u32 tcp;    /* IVB_S_ESTABLISHED */
	__u32 tcpfin; /* IVB_S_FIN_WAIT */
	__u32 udp;    /* IVB_S_UDP */
};

/* service_state (array, by slot): what packets remember of a service, and its own timeouts. */
struct ivb_service_state {
	__u32 checked;		      /* jiffies when local was determined; 0 = never */
	__u32 local;		      /* 1: the address is the director's own */
	struct ivb_timeouts timeouts; /* user space's */
};

enum ivb_dest_state {
	IVB_DEST_FREE,
	IVB_DEST_AVAILABLE, /* belongs to its service; weight 0 means no new connections */
	IVB_DEST_REMOVED,   /* waits until its connections have ended, as in the kernel's trash */
};

struct ivb_dest {
	union ivb_addr addr;
	union ivb_addr vaddr; /* the service's, to revive the dest when it is added again */
	union ivb_addr
		snat_addr; /* source towards this server when SNAT is wanted; zero = none known */
	__be16 port;
	__be16 vport;
	__u8 af;
	__u8 proto;
	__u16 pad_;
	__u32 zone;
	__u32 state; /* enum ivb_dest_state */
	__u32 weight;
	__u32 service;	   /* slot */
	__u32 next;	   /* slot of the next older dest of the service, or IVB_NONE */
	__u32 upper;	   /* connections from which on it takes no more; 0 = any number */
	__u32 lower;	   /* below which it takes some again; 0 = three quarters of upper */
	__u32 last_weight; /* that was not 0, as ip_vs_dest.last_weight: mh's */
};

/* dest_conns (array, by dest slot, a cache line each): atomics. Traffic of ended connections only. */
struct ivb_dest_conns {
	__u32 active;	/* as ip_vs_dest.activeconns */
	__u32 inactive; /* as ip_vs_dest.inactconns */
	__u32 persistent;
	__u32 overloaded; /* 1: upper has been reached, and it has not fallen below lower since */
	__u64 conns;	  /* scheduled here, ever */
	__u64 in_packets;
	__u64 out_packets;
	__u64 in_bytes;
	__u64 out_bytes;
	__u64 in_set; /* lblcr: CLOCK_MONOTONIC, ns, when it came to the set; 0 = it is not in it */
};

/* dest_bases (array of struct ivb_traffic, by dest slot): what listings subtract. */

_Static_assert(sizeof(struct ivb_dest_conns) == 64, "dest_conns value: a cache line");
_Static_assert(sizeof(struct ivb_service_key) == 24, "services key");
_Static_assert(sizeof(struct ivb_dest) == 88, "dests value");

#endif
