/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Setting an instance up, changing it, and taking it down. */
#ifndef IVB_DP_SETUP_UP_H
#define IVB_DP_SETUP_UP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

#define IVB_ZONE_MAX 0xffffffu
#define IVB_MAX_CONNS_DEFAULT 262144u
#define IVB_MAX_CONNS_MIN 16u
#define IVB_MAX_CONNS_MAX (1u << 24)
/*
 * Half-open connections: at most a half of all, so that established ones have the other; by default
 * a quarter.
 */
#define IVB_HALF_OPEN_MAX(conns) ((conns) / 2 < (1u << 22) ? (conns) / 2 : 1u << 22)
#define IVB_HALF_OPEN_DEFAULT(conns) ((conns) / 4)
#define IVB_MAX_DEVS 256
#define IVB_MAX_NON_MASQ 1024

/* Options of `up`; what is not given stays as it is, or gets its default. */
struct ivb_up {
	const char *instance;
	char *const *devs; /* names */
	size_t num_devs;
	__u32 zone;
	__u32 max_conns, max_conns6;	  /* 0: not given; rounded up to a power of two */
	__u32 max_half_open;		  /* 0: not given */
	int any_vip;			  /* -1: not given */
	int expire_nodest;		  /* -1: not given */
	enum ivb_snat snat;		  /* IVB_SNAT_DEFAULT: not given */
	__u32 snat_port_lo, snat_port_hi; /* 0: not given */
	union ivb_addr snat_addrs[2][IVB_SNAT_ADDRS]; /* IPv4, IPv6 */
	__u32 num_snat_addrs[2];		      /* 0: not given */
	const struct ivb_prefix *non_masq;	      /* valid with set_non_masq */
	size_t num_non_masq;
	bool set_non_masq;
	bool ignore_xfrm;
	int ipvs;    /* follow kernel IPVS; -1: not given */
	int notrack; /* with rules of ours; -1: not given */
	bool set_hash_key;
	__u64 hash_key; /* of SNAT ports; valid with set_hash_key */
};

struct ivb_up_dev {
	char name[IF_NAMESIZE];
	__u32 ifindex;
	enum ivb_attach kind;
	bool was_attached; /* already, in the same zone */
};

struct ivb_up_result {
	bool fresh;    /* the instance was not up before */
	bool renewed;  /* its programs were another build's, and have been replaced */
	int took_over; /* the ABI of the version that had made it, or 0 */
	__u32 num_snat_ports;
	struct ivb_up_dev devs[IVB_MAX_DEVS];
	size_t num_devs;
	bool ipvs;	    /* kernel IPVS is to be followed */
	bool ipvs_off;	    /* but is not there */
	__u32 shared_ports; /* of the range just given: the kernel gives them to local sockets too */
	int no_timer;	    /* -errno: expiry by packets */
};

/* All or nothing: after a failure everything is as it was before. */
int ivb_dp_up(const struct ivb_up *up, struct ivb_up_result *ret, struct ivb_err *err);

struct ivb_down {
	const char *instance;
	char *const *devs; /* none: everything */
	size_t num_devs;
	bool force; /* also an instance of another network namespace */
};

struct ivb_down_result {
	size_t detached; /* devices */
	size_t left;	 /* devices that are still attached; without devs: filters out of reach */
	int other_abi;	 /* not 0: it was another version's instance that has been removed */
};

/* -ENOENT: nothing of that name is there. */
int ivb_dp_down(const struct ivb_down *down, struct ivb_down_result *ret, struct ivb_err *err);

#endif
