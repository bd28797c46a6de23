/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTM_GETLINK, as far as we need it. */
#include "nl/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "nl/nl.h"

static int info_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_link *l = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_INFO_KIND:
		ivb_nl_get_str(l->kind, sizeof(l->kind), attr);
		break;
	case IFLA_INFO_SLAVE_KIND:
		ivb_nl_get_str(l->slave_kind, sizeof(l->slave_kind), attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int link_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_link *l = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		ivb_nl_get_str(l->name, sizeof(l->name), attr);
		break;
	case IFLA_MASTER:
		l->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		l->parent = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		l->parent_elsewhere = true;
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, info_attr, l);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int link_msg(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct ivb_link *l = arg;

	l->ifindex = (__u32)ifi->ifi_index;
	l->flags = ifi->ifi_flags;
	l->type = ifi->ifi_type;
	return mnl_attr_parse(nlh, sizeof(*ifi), link_attr, l);
}

int ivb_link_by_index(struct ivb_link *ret, __u32 ifindex)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ivb_link l = { 0 };
	struct ifinfomsg *ifi;
	int r;

	nlh->nlmsg_type = RTM_GETLINK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	r = ivb_nl_talk(NETLINK_ROUTE, nlh, link_msg, &l);
	if (r)
		return r;
	if (!l.ifindex)
		return -ENODEV;
	*ret = l;
	return 0;
}

int ivb_link_by_name(struct ivb_link *ret, const char *name)
{
	__u32 ifindex = if_nametoindex(name);

	return ifindex ? ivb_link_by_index(ret, ifindex) : -ENODEV;
}
