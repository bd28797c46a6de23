/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NFT_MSG_GETCHAIN, as far as we need it. */
#include "nl/nft.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>

#include "nl/nl.h"

static int chain_attr(const struct nlattr *attr, void *arg)
{
	bool *base = arg;

	/* Only base chains have a hook. */
	if (mnl_attr_get_type(attr) == NFTA_CHAIN_HOOK)
		*base = true;
	return MNL_CB_OK;
}

static int chain_msg(const struct nlmsghdr *nlh, void *arg)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	__u32 *count = arg;
	bool base = false;

	if (nfg->nfgen_family != NFPROTO_IPV4 && nfg->nfgen_family != NFPROTO_IPV6 &&
	    nfg->nfgen_family != NFPROTO_INET)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*nfg), chain_attr, &base);
	*count += base;
	return MNL_CB_OK;
}

int ivb_nft_base_chains(__u32 *ret)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	__u32 count = 0;
	int r, tries;

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	nlh->nlmsg_flags = NLM_F_DUMP;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_UNSPEC;
	nfg->version = NFNETLINK_V0;
	for (tries = 0; tries < 5; tries++) {
		count = 0;
		r = ivb_nl_talk(NETLINK_NETFILTER, nlh, chain_msg, &count);
		if (r != -EINTR)
			break;
	}
	if (r == -EPROTONOSUPPORT || r == -EINVAL || r == -EOPNOTSUPP)
		r = 0;
	if (r)
		return r;
	*ret = count;
	return 0;
}
