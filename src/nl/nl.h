/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink: one request and its answers, over a socket of its own. */
#ifndef IVB_NL_NL_H
#define IVB_NL_NL_H

#include <libmnl/libmnl.h>

#define IVB_NL_BUF_SIZE 65536

/*
 * Sends nlh (its flags get NLM_F_REQUEST; sequence and port are filled in) on the bus
 * (NETLINK_ROUTE, NETLINK_XFRM) and calls cb, which may be NULL, for each message of the answer.
 * -EINTR: the kernel's tables changed during a dump; ask again.
 */
int ivb_nl_talk(int bus, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg);

/*
 * The two ends of that, for requests of another form: closes a socket (for __cleanup), and calls cb
 * for what comes until the answer is over. seq 0: of whatever request.
 */
void ivb_nl_closep(struct mnl_socket **s);
int ivb_nl_receive(struct mnl_socket *s, __u32 seq, mnl_cb_t cb, void *arg);

/* Copies a string attribute, cut to size. */
void ivb_nl_get_str(char *buf, size_t size, const struct nlattr *attr);

#endif
