/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One netlink request and its answers. */
#include "nl/nl.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

void ivb_nl_closep(struct mnl_socket **s)
{
	if (*s)
		mnl_socket_close(*s);
}

int ivb_nl_receive(struct mnl_socket *s, __u32 seq, mnl_cb_t cb, void *arg)
{
	_cleanup_free_ char *buf = malloc(IVB_NL_BUF_SIZE);
	__u32 port = mnl_socket_get_portid(s);
	ssize_t n;
	int r = MNL_CB_OK;

	if (!buf)
		return -ENOMEM;
	while (r > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(s, buf, IVB_NL_BUF_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, seq, port, cb, arg);
	}
	return r < 0 ? -errno : 0;
}

int ivb_nl_talk(int bus, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	struct mnl_socket *s __cleanup(ivb_nl_closep) = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	nlh->nlmsg_flags |= NLM_F_REQUEST;
	/* Dumps end with their own message; everything else is acknowledged. */
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	return ivb_nl_receive(s, nlh->nlmsg_seq, cb, arg);
}

void ivb_nl_get_str(char *buf, size_t size, const struct nlattr *attr)
{
	snprintf(buf, size, "%.*s", (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
}
