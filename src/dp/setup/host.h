/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel, and the devices of the current namespace, bring along. */
#ifndef IVB_DP_SETUP_HOST_H
#define IVB_DP_SETUP_HOST_H

#include <linux/types.h>
#include <stdbool.h>

struct ivb_err;
struct ivb_link;

/* Each of these: 0, or -errno with a sentence why `up` would fail. */
int ivb_host_check_btf(struct ivb_err *err);
int ivb_host_check_bpffs(struct ivb_err *err);
/*
 * Loads all programs with small tables, and starts and stops the expiry timers. If there can be
 * none, *ret_no_timer is why, and that is no failure.
 */
int ivb_host_check_programs(int *ret_no_timer, struct ivb_err *err);
/* The device exists and can be attached to. ret may be NULL. */
int ivb_host_check_dev(const char *name, struct ivb_link *ret, struct ivb_err *err);

bool ivb_host_has_tcx(void);

/* The ports that SNAT gets by default. */
int ivb_host_snat_ports(__u32 *ret, struct ivb_err *err);

/* A tc program or filter on a device. */
struct ivb_host_prog {
	bool tcx; /* false: clsact */
	bool egress;
	bool ours;	   /* name says so */
	bool in_our_place; /* another's, where our clsact filter would have to be */
	__u32 prog_id;
	char name[64]; /* the program's, or the filter's kind */
};

/* Calls fn for each, in the order in which packets meet them. Nonzero stops and is returned. */
int ivb_host_progs(__u32 ifindex, int (*fn)(const struct ivb_host_prog *p, void *arg), void *arg);

/* Programs of ours at a device's ingress: one for each instance. */
int ivb_host_count_ours(__u32 ifindex);

/*
 * Whether it is an ipvlan device: packets to addresses that are not its own, as replies to clients
 * are, come in by the device it is made on, *ret.
 */
bool ivb_host_is_ipvlan(__u32 ifindex, struct ivb_link *ret);

/* The number in a file of /proc/sys; -1: there is none. */
int ivb_host_sysctl(const char *path);

#endif
