/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTM_GETROUTE for one destination. */
#include "nl/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "nl/nl.h"

struct answer {
	struct ivb_route route;
	size_t addr_len;
	bool seen;
};

static int route_attr(const struct nlattr *attr, void *data)
{
	struct answer *a = data;

	switch (mnl_attr_get_type(attr)) {
	case RTA_PREFSRC:
		if (mnl_attr_get_payload_len(attr) == a->addr_len)
			memcpy(&a->route.src, mnl_attr_get_payload(attr), a->addr_len);
		break;
	case RTA_OIF:
		if (mnl_attr_get_payload_len(attr) == sizeof(__u32))
			a->route.ifindex = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int route_msg(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct answer *a = data;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return MNL_CB_OK;
	a->seen = true;
	a->route.local = rtm->rtm_type == RTN_LOCAL;
	a->route.broadcast = rtm->rtm_type == RTN_BROADCAST;
	return mnl_attr_parse(nlh, sizeof(*rtm), route_attr, a);
}

int ivb_route_get(struct ivb_route *ret, int af, const union ivb_addr *dst)
{
	struct answer a = { .addr_len = af == AF_INET6 ? 16 : 4 };
	char buf[256] __attribute__((aligned(8))) = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm;
	int r;

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)af;
	rtm->rtm_dst_len = (unsigned char)(a.addr_len * 8);
	mnl_attr_put(nlh, RTA_DST, a.addr_len, dst);
	r = ivb_nl_talk(NETLINK_ROUTE, nlh, route_msg, &a);
	if (r)
		return r;
	if (!a.seen)
		return -ENETUNREACH;
	*ret = a.route;
	return 0;
}
