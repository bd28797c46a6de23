/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Setting an instance up, and changing it. */
#ifndef IVB_DP_SETUP_UP_H
#define IVB_DP_SETUP_UP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "dp/attach/attach_int.h"
#include "dp/instance/limits.h"

/*
 * Options of `up`. What is not given stays as it is, or gets its default. Of every option 0 is "not
 * given", so { .instance = NAME } gives none.
 */
struct ivb_up {
	const char *instance;
	char *const *devs; /* names */
	size_t num_devs;
	__u32 zone;
	__u32 max_conns, max_conns6; /* rounded up to a power of two */
	__u32 max_half_open;
	__u32 flags, given_flags; /* IVB_CONFIG_*, of flags.def's options; flags: of those given */
	enum ivb_snat snat;	  /* IVB_SNAT_DEFAULT: not given */
	__u32 snat_port_lo, snat_port_hi;
	bool default_snat_ports; /* ports as if none had ever been given */
	bool no_snat_addrs;	 /* addresses as if none had; those given beside it are new */
	union ivb_addr snat_addrs[2][IVB_SNAT_ADDRS]; /* IPv4, IPv6 */
	__u32 num_snat_addrs[2];
	const struct ivb_prefix *non_masq; /* valid with set_non_masq */
	size_t num_non_masq;
	bool set_non_masq;
	bool ignore_xfrm;
	bool set_hash_key;
	__u64 hash_key; /* key of SNAT ports; valid with set_hash_key */
};

struct ivb_up_dev {
	char name[IF_NAMESIZE];
	__u32 ifindex;
	enum ivb_attach kind;
	bool was_attached; /* already, in the same zone */
};

struct ivb_up_result {
	bool fresh;    /* the instance was not up before */
	bool renewed;  /* programs were another build's, and have been replaced */
	int took_over; /* the ABI of the version that had made it, or 0 */
	__u32 flags;   /* IVB_CONFIG_* that are on now */
	__u32 num_snat_ports;
	struct ivb_up_dev devs[IVB_MAX_DEVS];
	size_t num_devs;
	bool ipvs;     /* kernel IPVS is to be followed */
	bool ipvs_off; /* it is not there */
	__u32 shared_ports; /* ports of the range just given that the kernel gives to local sockets too */
	int no_timer;	    /* -errno: expiry by packets */
};

/* All or nothing: after a failure everything is as it was before. */
int ivb_dp_up(const struct ivb_up *up, struct ivb_up_result *ret, struct ivb_err *err);

#endif
