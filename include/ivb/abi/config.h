/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of settings, devices and counters, and meta: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_CONFIG_H
#define IVB_ABI_CONFIG_H

#include <linux/types.h>
#include <ivb/abi/addr.h>
#include <ivb/abi/conn.h>
#include <ivb/abi/snat.h>

/* --- what user space tells the programs ----------------------------------------------------- */

/* The numbers of the bits, IVB_CONFIG_BIT_ANY_VIP and so on. */
enum ivb_config_bit {
#define IVB_OPTION(NAME, option, text, help) IVB_CONFIG_BIT_##NAME,
#define IVB_FLAG(NAME) IVB_CONFIG_BIT_##NAME,
#include <ivb/flags.def>
	IVB_CONFIG_BIT_MAX_,
};

enum ivb_config_flags {
#define IVB_OPTION(NAME, option, text, help) IVB_CONFIG_##NAME = 1 << IVB_CONFIG_BIT_##NAME,
#define IVB_FLAG(NAME) IVB_CONFIG_##NAME = 1 << IVB_CONFIG_BIT_##NAME,
#include <ivb/flags.def>
	IVB_CONFIG_KNOWN = (1 << IVB_CONFIG_BIT_MAX_) - 1, /* all of them */
};

_Static_assert(IVB_CONFIG_BIT_MAX_ == 8,
	       "flags.def has changed: set a new IVB_ABI, and this number");

/* config (array of one) */
struct ivb_config {
	__u32 flags;		    /* enum ivb_config_flags */
	__u32 snat;		    /* enum ivb_snat, never IVB_SNAT_DEFAULT */
	__u32 timeouts[IVB_S_MAX_]; /* jiffies, by enum ivb_conn_state */
	__u32 max_half_open[2];	    /* IPv4, IPv6; 0 = not bounded */
	__u32 num_snat_ports;	    /* valid entries of snat_ports */
	__u64 hash_key; /* of the first SNAT port probe; a pair of directors may share it */
	__u32 num_snat_addrs[2]; /* IPv4, IPv6: `up --snat-addr`; 0 = the dest's own */
	union ivb_addr snat_addrs[2][IVB_SNAT_ADDRS];
	__u32 hold_until; /* jiffies; until then no connection begins, see dp/takeover/takeover_int.h; 0 = none */
};

/* devs (hash, by ifindex): where we are attached */
struct ivb_dev {
	__u32 zone;
	__u32 kind; /* enum ivb_attach */
};

enum ivb_attach {
	IVB_ATTACH_TCX,
	IVB_ATTACH_CLSACT,
	IVB_ATTACH_MAX_,
};

/* counters (per-CPU array, by enum ivb_reason); an upgrade to another ABI begins them at 0 */
struct ivb_counter {
	__u64 packets;
	__u64 bytes;
};

enum ivb_reason {
	IVB_R_NONE,
#define IVB_PASS(name, help) IVB_R_##name,
#define IVB_DROP(name, help) IVB_R_##name,
#define IVB_SENT(name, help) IVB_R_##name,
#include <ivb/reasons.def>
#undef IVB_PASS
#undef IVB_DROP
#undef IVB_SENT
	IVB_R_MAX_,
};

_Static_assert(IVB_R_MAX_ == 30, "reasons.def has changed: set a new IVB_ABI, and this number");

/* meta (array of one): what the instance is; written by `up` */
struct ivb_meta {
	__u32 abi;	    /* IVB_ABI */
	__u32 hz;	    /* jiffies a second */
	__u64 jiffies;	    /* jiffies64 at the moment monotonic_ns */
	__u64 monotonic_ns; /* CLOCK_MONOTONIC */
	__u64 netns_cookie; /* SO_NETNS_COOKIE of the network namespace that is served */
	__u32 max_conns;    /* IPv4; a multiple of IVB_CLOCK_GROUP, a power of two */
	__u32 max_conns6;   /* IPv6, the same; its maps are made with the first IPv6 service */
	__u32 max_services;
	__u32 max_dests;
	__u32 max_ring;	    /* words */
	__u32 max_nexthops; /* a power of two */
	__u32 editing;	    /* 1: a command writes the services, or was killed while it did */
	__u32 oldest;	    /* IVB_ABI_OLDEST */
	__u32 takes_over;   /* the ABI of the instance whose place this one is just taking, or 0 */
};

#endif
