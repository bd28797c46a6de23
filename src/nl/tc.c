/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTM_GETTFILTER and RTM_GETQDISC, as far as we need them. */
#include "nl/tc.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "nl/nl.h"

struct walk {
	int (*fn)(const struct ivb_tc_filter *f, void *arg);
	void *arg;
	bool egress;
	int stopped; /* what fn returned */
};

static int bpf_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_tc_filter *f = arg;

	switch (mnl_attr_get_type(attr)) {
	case TCA_BPF_ID:
		f->prog_id = mnl_attr_get_u32(attr);
		break;
	case TCA_BPF_NAME:
		ivb_nl_get_str(f->name, sizeof(f->name), attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int filter_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_tc_filter *f = arg;

	switch (mnl_attr_get_type(attr)) {
	case TCA_KIND:
		ivb_nl_get_str(f->kind, sizeof(f->kind), attr);
		break;
	case TCA_OPTIONS:
		/* The kind comes first. */
		if (!strcmp(f->kind, "bpf"))
			return mnl_attr_parse_nested(attr, bpf_attr, f);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int filter_msg(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct ivb_tc_filter f = { 0 };
	struct walk *w = arg;

	f.egress = w->egress;
	f.priority = TC_H_MAJ(tcm->tcm_info) >> 16;
	f.handle = tcm->tcm_handle;
	mnl_attr_parse(nlh, sizeof(*tcm), filter_attr, &f);
	/* A priority is announced by a message without handle before its filters. */
	if (!f.handle)
		return MNL_CB_OK;
	w->stopped = w->fn(&f, w->arg);
	return w->stopped ? MNL_CB_STOP : MNL_CB_OK;
}

static int walk_side(__u32 ifindex, struct walk *w)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm;

	nlh->nlmsg_type = RTM_GETTFILTER;
	nlh->nlmsg_flags = NLM_F_DUMP;
	tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, w->egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
	return ivb_nl_talk(NETLINK_ROUTE, nlh, filter_msg, w);
}

int ivb_tc_filters(__u32 ifindex, int (*fn)(const struct ivb_tc_filter *f, void *arg), void *arg)
{
	struct walk w = { .fn = fn, .arg = arg };
	int r, side;

	for (side = 0; side < 2; side++) {
		w.egress = side;
		r = walk_side(ifindex, &w);
		if (w.stopped)
			return w.stopped;
		/* No clsact there, or no such device any more: no filters. */
		if (r && r != -EINVAL && r != -ENODEV && r != -ENOENT)
			return r;
	}
	return 0;
}

struct qdisc_search {
	__u32 ifindex;
	bool found;
};

static int qdisc_attr(const struct nlattr *attr, void *arg)
{
	struct qdisc_search *s = arg;

	if (mnl_attr_get_type(attr) == TCA_KIND)
		s->found = s->found || !strcmp(mnl_attr_get_str(attr), "clsact");
	return MNL_CB_OK;
}

static int qdisc_msg(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct qdisc_search *s = arg;

	/* Older kernels dump every device's. */
	if ((__u32)tcm->tcm_ifindex != s->ifindex)
		return MNL_CB_OK;
	return mnl_attr_parse(nlh, sizeof(*tcm), qdisc_attr, s);
}

int ivb_tc_has_clsact(__u32 ifindex, bool *ret)
{
	char buf[128] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct qdisc_search s = { .ifindex = ifindex };
	struct tcmsg *tcm;
	int r, tries;

	nlh->nlmsg_type = RTM_GETQDISC;
	nlh->nlmsg_flags = NLM_F_DUMP;
	tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = (int)ifindex;
	for (tries = 0; tries < 5; tries++) {
		s.found = false;
		r = ivb_nl_talk(NETLINK_ROUTE, nlh, qdisc_msg, &s);
		if (r != -EINTR)
			break;
	}
	if (r)
		return r;
	*ret = s.found;
	return 0;
}
