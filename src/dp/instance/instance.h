/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An instance: the pinned maps and links of one data plane, under
 * /sys/fs/bpf/ipvs-bpf/<name>/v<ABI>/. Opening takes the instance's lock (flock on its folder).
 */
#ifndef IVB_DP_INSTANCE_INSTANCE_H
#define IVB_DP_INSTANCE_INSTANCE_H

#include <ivb/abi.h>

struct ivb_err;

/*
 * Every pinned map; the pin's name is the map's. The v6 ones are made with the first IPv6 service.
 */
/* clang-format off */
#define IVB_MAPS(X) \
	X(FLOWS4, flows4) X(CONNS4, conns4) X(CLOCK4, clock4) X(HALF_OPEN4, half_open4) \
	X(HAND4, hand4) X(FLOWS6, flows6) X(CONNS6, conns6) X(CLOCK6, clock6) \
	X(HALF_OPEN6, half_open6) X(HAND6, hand6) X(SWEEPS, sweeps) X(ADMISSION, admission) \
	X(SERVICES, services) X(SERVICE_STATE, service_state) X(DESTS, dests) \
	X(DEST_CONNS, dest_conns) X(DEST_BASES, dest_bases) X(SCHEDS, scheds) X(RING, ring) \
	X(NEXTHOPS, nexthops) X(FRAGS, frags) X(CONFIG, config) \
	X(SNAT_PORTS, snat_ports) X(PORT_MAPS, port_maps) X(PORT_BLANK, port_blank) X(NON_MASQ, non_masq) X(DEVS, devs) \
	X(COUNTERS, counters) X(KERNEL_CONNS, kernel_conns) \
	X(KERNEL_REPLIES, kernel_replies) X(KERNEL_DESTS, kernel_dests) \
	X(KERNEL_TRAFFIC, kernel_traffic) X(KERNEL_SNAT, kernel_snat) \
	X(KERNEL_TUNNELS, kernel_tunnels) X(KERNEL_SERVICES, kernel_services) X(META, meta)
/* clang-format on */

enum ivb_map {
#define X(id, name) IVB_MAP_##id,
	IVB_MAPS(X)
#undef X
	/* clang-format off */
	IVB_MAP_MAX_,
	/* clang-format on */
};

/* An open instance. Map descriptors are -1 for maps that do not exist (yet). */
struct ivb_dp {
	char path[128]; /* the v<ABI> folder */
	int dir_fd;	/* holds the lock */
	int fds[IVB_MAP_MAX_];
	struct ivb_meta meta;
	int no_timer; /* -errno of an expiry timer that could not be had: packets do its work */
};

enum ivb_lock {
	IVB_LOCK_SHARED,    /* listings */
	IVB_LOCK_EXCLUSIVE, /* changes */
};

/*
 * Opens an instance that `up` has made. *ret is the caller's, to be closed by ivb_dp_closep().
 * -ENOENT: not up; -EPROTO: pins of another ABI; -EPERM: not permitted, or the folder is not root's;
 * -EXDEV: it belongs to another network namespace than the current one; -ENODEV: no bpffs there.
 * The sentence in err says which, and what to do.
 */
int ivb_dp_open(struct ivb_dp **ret, const char *instance, enum ivb_lock lock, struct ivb_err *err);
/*
 * Lets go of the lock; the maps stay open. For listings that write as they read: whoever reads them
 * may take his time (less), and changes must not wait for him.
 */
void ivb_dp_unlock(struct ivb_dp *dp);
void ivb_dp_closep(struct ivb_dp **dp); /* for __cleanup */

/* Now, in the kernel's jiffies64 (low 32 bits), computed from meta and CLOCK_MONOTONIC. */
__u32 ivb_dp_jiffies(const struct ivb_dp *dp);

#endif
