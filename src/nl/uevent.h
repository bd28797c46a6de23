/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's events of devices and modules (NETLINK_KOBJECT_UEVENT). */
#ifndef IVB_NL_UEVENT_H
#define IVB_NL_UEVENT_H

#include <stddef.h>

/* A socket that hears of events from now on; the caller closes *ret_fd. */
int ivb_uevent_open(int *ret_fd);

/*
 * Waits for the next event and copies its headline ("add@/module/ip_vs"). Only the kernel's own are
 * told. -EINTR: a signal; -ENOBUFS: some were lost.
 */
int ivb_uevent_next(int fd, char *buf, size_t size);

#endif
