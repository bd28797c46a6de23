/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NFT_MSG_NEWTABLE, NEWCHAIN, NEWRULE and DELTABLE in one batch. The matches are xtables'
 * (nft_compat), as nf_tables has none of its own for BPF and ipsets; iptables-nft makes its rules
 * in the same way.
 */
#include "nl/notrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_bpf.h>
#include <linux/netfilter/xt_set.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "nl/nl.h"

#define CHAIN "prerouting"
#define PRIORITY_RAW (-300) /* NF_IP_PRI_RAW: before conntrack, after reassembly */
#define COMMENT_MAX 128
#define BATCH_SIZE 32768

static const __u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

struct batch {
	char *buf;
	size_t len;
	struct nlmsghdr *nlh; /* the message that is being written */
};

static void begin(struct batch *b, __u16 type, __u16 flags, __u8 family, __u16 res_id)
{
	struct nfgenmsg *nfg;

	b->nlh = mnl_nlmsg_put_header(b->buf + b->len);
	b->nlh->nlmsg_type = type;
	b->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg = mnl_nlmsg_put_extra_header(b->nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res_id);
}

static void end(struct batch *b)
{
	b->len += MNL_ALIGN(b->nlh->nlmsg_len);
}

static void nft(struct batch *b, int msg, __u16 flags, __u8 family)
{
	begin(b, (__u16)(NFNL_SUBSYS_NFTABLES << 8 | msg), flags, family, 0);
}

static void table(struct batch *b, int msg, __u16 flags, __u8 family)
{
	nft(b, msg, flags, family);
	mnl_attr_put_strz(b->nlh, NFTA_TABLE_NAME, IVB_NOTRACK_TABLE);
	end(b);
}

static void chain(struct batch *b, __u8 family)
{
	struct nlattr *nest;

	nft(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
	mnl_attr_put_strz(b->nlh, NFTA_CHAIN_TABLE, IVB_NOTRACK_TABLE);
	mnl_attr_put_strz(b->nlh, NFTA_CHAIN_NAME, CHAIN);
	nest = mnl_attr_nest_start(b->nlh, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(b->nlh, NFTA_HOOK_HOOKNUM, htonl(NF_INET_PRE_ROUTING));
	mnl_attr_put_u32(b->nlh, NFTA_HOOK_PRIORITY, htonl((__u32)PRIORITY_RAW));
	mnl_attr_nest_end(b->nlh, nest);
	mnl_attr_put_u32(b->nlh, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	mnl_attr_put_strz(b->nlh, NFTA_CHAIN_TYPE, "filter");
	end(b);
}

/*
 * --- a rule's expressions
 * ---------------------------------------------------------------------------
 */

static struct nlattr *expr(struct batch *b, const char *name, struct nlattr **data)
{
	struct nlattr *elem = mnl_attr_nest_start(b->nlh, NFTA_LIST_ELEM);

	mnl_attr_put_strz(b->nlh, NFTA_EXPR_NAME, name);
	*data = mnl_attr_nest_start(b->nlh, NFTA_EXPR_DATA);
	return elem;
}

static void expr_end(struct batch *b, struct nlattr *elem, struct nlattr *data)
{
	mnl_attr_nest_end(b->nlh, data);
	mnl_attr_nest_end(b->nlh, elem);
}

static void xt_match(struct batch *b, const char *name, __u32 rev, const void *info, size_t len)
{
	struct nlattr *data, *elem = expr(b, "match", &data);

	mnl_attr_put_strz(b->nlh, NFTA_MATCH_NAME, name);
	mnl_attr_put_u32(b->nlh, NFTA_MATCH_REV, htonl(rev));
	mnl_attr_put(b->nlh, NFTA_MATCH_INFO, len, info);
	expr_end(b, elem, data);
}

static void plain(struct batch *b, const char *name)
{
	struct nlattr *data, *elem = expr(b, name, &data);

	expr_end(b, elem, data);
}

static void accept_packet(struct batch *b)
{
	struct nlattr *data, *elem = expr(b, "immediate", &data), *value, *verdict;

	mnl_attr_put_u32(b->nlh, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	value = mnl_attr_nest_start(b->nlh, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(b->nlh, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(b->nlh, NFTA_VERDICT_CODE, htonl(NF_ACCEPT));
	mnl_attr_nest_end(b->nlh, verdict);
	mnl_attr_nest_end(b->nlh, value);
	expr_end(b, elem, data);
}

/* As nft writes it, so that nft shows it: type 0, length, text. */
static void comment(struct batch *b, const char *text)
{
	char data[2 + COMMENT_MAX] = { 0 };
	size_t len = strnlen(text, COMMENT_MAX - 1);

	data[1] = (char)(len + 1);
	memcpy(data + 2, text, len);
	mnl_attr_put(b->nlh, NFTA_RULE_USERDATA, 2 + len + 1, data);
}

static void match(struct batch *b, const struct ivb_notrack_rule *r)
{
	struct xt_bpf_info_v1 bpf = { .mode = XT_BPF_MODE_FD_ELF, .fd = r->prog_fd };
	struct xt_set_info_match_v4 set = { .match_set = { .index = r->set, .dim = r->set_dim } };

	if (r->prog_fd >= 0)
		xt_match(b, "bpf", 1, &bpf, sizeof(bpf));
	else
		xt_match(b, "set", 4, &set, sizeof(set));
}

static void rule(struct batch *b, const struct ivb_notrack_rule *r, __u8 family)
{
	struct nlattr *list;

	nft(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
	mnl_attr_put_strz(b->nlh, NFTA_RULE_TABLE, IVB_NOTRACK_TABLE);
	mnl_attr_put_strz(b->nlh, NFTA_RULE_CHAIN, CHAIN);
	list = mnl_attr_nest_start(b->nlh, NFTA_RULE_EXPRESSIONS);
	match(b, r);
	plain(b, "counter");
	if (r->leave)
		accept_packet(b);
	else
		plain(b, "notrack");
	mnl_attr_nest_end(b->nlh, list);
	comment(b, r->comment);
	end(b);
}

/*
 * --- the batch
 * ---------------------------------------------------------------------------------------
 */

/* The batch's end is acknowledged, if nothing has failed: whatever has is told first. */
static int talk(const struct batch *b)
{
	struct mnl_socket *s __cleanup(ivb_nl_closep) =
		mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(s, b->buf, b->len) < 0)
		return -errno;
	return ivb_nl_receive(s, 0, NULL, NULL);
}

/* Deleting what was made just before works whether it was there or not. */
static int replace(const struct ivb_notrack_rule *rules, size_t n, bool remove)
{
	_cleanup_free_ char *buf = calloc(1, BATCH_SIZE);
	struct batch b = { .buf = buf };
	size_t f, i;

	if (!buf)
		return -ENOMEM;
	begin(&b, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end(&b);
	for (f = 0; f < sizeof(families); f++) {
		table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE, families[f]);
		table(&b, NFT_MSG_DELTABLE, remove && f ? NLM_F_ACK : 0, families[f]);
		if (remove)
			continue;
		table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE, families[f]);
		chain(&b, families[f]);
		for (i = 0; i < n; i++) {
			if (b.len + 2048 > BATCH_SIZE)
				return -E2BIG;
			if (!rules[i].family || rules[i].family == families[f])
				rule(&b, &rules[i], families[f]);
		}
	}
	if (!remove)
		b.nlh->nlmsg_flags |= NLM_F_ACK;
	begin(&b, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end(&b);
	return talk(&b);
}

int ivb_notrack_write(const struct ivb_notrack_rule *rules, size_t n)
{
	int r = replace(rules, n, false);

	/* a match or expression that the kernel does not have, or nf_tables itself */
	return r == -ENOENT || r == -EINVAL || r == -EPROTONOSUPPORT ? -EOPNOTSUPP : r;
}

int ivb_notrack_remove(void)
{
	return replace(NULL, 0, true);
}

static int count_rule(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(unsigned int *)arg;
	return MNL_CB_OK;
}

int ivb_notrack_there(void)
{
	unsigned int n;
	size_t f;
	int r;

	for (f = 0; f < sizeof(families); f++) {
		char buf[256] = { 0 };
		struct batch b = { .buf = buf };

		n = 0;
		nft(&b, NFT_MSG_GETRULE, NLM_F_DUMP, families[f]);
		mnl_attr_put_strz(b.nlh, NFTA_RULE_TABLE, IVB_NOTRACK_TABLE);
		mnl_attr_put_strz(b.nlh, NFTA_RULE_CHAIN, CHAIN);
		r = ivb_nl_talk(NETLINK_NETFILTER, b.nlh, count_rule, &n);
		if (r && r != -ENOENT)
			return r;
		if (r || n < 2)
			return 0;
	}
	return 1;
}

int ivb_notrack_ipset_find(const char *name, __u16 *ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct ip_set_req_get_set get = { .op = IP_SET_OP_GET_BYNAME };
	struct ip_set_req_version version = { .op = IP_SET_OP_VERSION };
	socklen_t len = sizeof(version);

	if (fd < 0)
		return -errno;
	/* without ipsets nobody knows the option */
	if (getsockopt(fd, IPPROTO_IP, SO_IP_SET, &version, &len))
		return errno == ENOPROTOOPT ? -ENOENT : -errno;
	get.version = version.version;
	snprintf(get.set.name, sizeof(get.set.name), "%s", name);
	len = sizeof(get);
	if (getsockopt(fd, IPPROTO_IP, SO_IP_SET, &get, &len))
		return -errno;
	if (get.set.index == IPSET_INVALID_ID)
		return -ENOENT;
	*ret = get.set.index;
	return 0;
}
