/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folders on bpffs: IVB_PIN_ROOT/<instance>/v<ABI>, all root's and closed to others, and the
 * lock on <instance>. Internal to dp.
 */
#ifndef IVB_DP_INSTANCE_PINS_INT_H
#define IVB_DP_INSTANCE_PINS_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "dp/instance/instance.h"

#define IVB_BPFFS "/sys/fs/bpf"
#define IVB_PIN_ROOT IVB_BPFFS "/ipvs-bpf"
#define IVB_PIN_PATH_LEN 192
#define IVB_INSTANCE_LEN 63

/* Whether name can be an instance's (bpffs takes no '.', and no '/'). */
int ivb_pins_check_name(const char *name, struct ivb_err *err);

/* -ENODEV: no bpffs at IVB_BPFFS; -EPERM: not root. */
int ivb_pins_check_bpffs(struct ivb_err *err);
/* A bpffs where pins can be made and stay when we end; errors as of ivb_pins_check_bpffs(). */
int ivb_pins_check_lasting(struct ivb_err *err);

/*
 * Opens and locks the instance's folder, making it (and the root) if create says so. The caller
 * closes
 * *ret_fd, which ends the lock. -ENOENT: there is none; -EPERM: not permitted, or not root's folders;
 * -EBUSY: another process held the lock for several seconds.
 */
int ivb_pins_lock(int *ret_fd, const char *instance, enum ivb_lock lock, bool create,
		  struct ivb_err *err);

/* Makes a folder of ours, or finds that it is there already and is ours. */
int ivb_pins_mkdir(const char *path, struct ivb_err *err);

/* Whether a path exists and is root's; -EPERM with a sentence if it is somebody else's. */
int ivb_pins_check_dir(const char *path, struct ivb_err *err);

/*
 * Calls fn for each name in a folder, in no order. fn may remove it. Nonzero stops and is returned.
 */
int ivb_pins_list(const char *path, int (*fn)(const char *name, void *arg), void *arg);

/* Removes a folder with all pins in it; 0 if it is not there. */
int ivb_pins_remove(const char *path, struct ivb_err *err);

/* Removes the instance's empty folder, and the root if that is empty then. */
void ivb_pins_remove_instance(const char *instance);

#endif
