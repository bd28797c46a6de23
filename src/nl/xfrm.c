/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XFRM_MSG_GETPOLICY, as far as we need it. */
#include "nl/xfrm.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdbool.h>

#include "nl/nl.h"

static int policy_attr(const struct nlattr *attr, void *arg)
{
	bool *transforms = arg;

	if (mnl_attr_get_type(attr) == XFRMA_TMPL)
		*transforms = true;
	return MNL_CB_OK;
}

static int policy_msg(const struct nlmsghdr *nlh, void *arg)
{
	const struct xfrm_userpolicy_info *p = mnl_nlmsg_get_payload(nlh);
	bool transforms = p->action == XFRM_POLICY_BLOCK;
	__u32 *count = arg;

	/* Beyond these are the policies of single sockets. */
	if (p->dir >= XFRM_POLICY_MAX)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*p), policy_attr, &transforms);
	*count += transforms;
	return MNL_CB_OK;
}

int ivb_xfrm_policies(__u32 *ret)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	__u32 count = 0;
	int r, tries;

	nlh->nlmsg_type = XFRM_MSG_GETPOLICY;
	nlh->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct xfrm_userpolicy_id));
	for (tries = 0; tries < 5; tries++) {
		count = 0;
		r = ivb_nl_talk(NETLINK_XFRM, nlh, policy_msg, &count);
		if (r != -EINTR)
			break;
	}
	if (r == -EPROTONOSUPPORT || r == -ENOENT)
		r = 0;
	if (r)
		return r;
	*ret = count;
	return 0;
}
