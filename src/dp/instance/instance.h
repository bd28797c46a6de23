/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An instance: the pinned maps and links of one data plane, under
 * /sys/fs/bpf/ipvs-bpf/<name>/v<ABI>/. Opening takes the instance's lock (flock on its folder).
 */
#ifndef IVB_DP_INSTANCE_INSTANCE_H
#define IVB_DP_INSTANCE_INSTANCE_H

#include <ivb/abi.h>

struct ivb_err;

/* The maps that user space opens. */
enum ivb_map {
#define IVB_MAP(id, ...) IVB_MAP_##id,
#include <ivb/maps.def>
	IVB_MAP_MAX_,
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
void ivb_dp_closep(struct ivb_dp **dp); /* __cleanup's */

/* Now, in the kernel's jiffies64 (low 32 bits), computed from meta and CLOCK_MONOTONIC. */
__u32 ivb_dp_jiffies(const struct ivb_dp *dp);

#endif
