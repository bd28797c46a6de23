/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening to the kernel's events. */
#include "nl/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define KERNEL_GROUP 1

int ivb_uevent_open(int *ret_fd)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int ivb_uevent_next(int fd, char *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	socklen_t len;
	ssize_t n;

	do {
		len = sizeof(from);
		n = recvfrom(fd, buf, size - 1, 0, (struct sockaddr *)&from, &len);
		if (n < 0)
			return -errno;
	} while (len != sizeof(from) || from.nl_pid);
	buf[n] = 0;
	return 0;
}
