/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic netlink family of ip_vs: IPVS_CMD_GET_SERVICE and IPVS_CMD_GET_DEST, as dumps. */
#include "nl/ipvs.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>

#include "nl/nl.h"

/* An array that grows by one. Returns the new element, zeroed, or NULL. */
static void *grow(void **array, size_t *n, size_t size)
{
	char *p = realloc(*array, (*n + 1) * size);

	if (!p)
		return NULL;
	*array = p;
	p += (*n)++ * size;
	return memset(p, 0, size);
}

static struct nlmsghdr *request(char *buf, __u16 type, __u8 cmd, __u8 version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_DUMP;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/*
 * --- the family's number: all are asked for, since a question for one by name may load its module
 * ---
 */

struct family {
	char name[GENL_NAMSIZ];
	__u16 id;
};

static int family_attr(const struct nlattr *attr, void *arg)
{
	struct family *f = arg;

	switch (mnl_attr_get_type(attr)) {
	case CTRL_ATTR_FAMILY_NAME:
		ivb_nl_get_str(f->name, sizeof(f->name), attr);
		break;
	case CTRL_ATTR_FAMILY_ID:
		f->id = mnl_attr_get_u16(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int family_msg(const struct nlmsghdr *nlh, void *arg)
{
	struct family f = { .id = 0 };
	__u16 *id = arg;

	mnl_attr_parse(nlh, GENL_HDRLEN, family_attr, &f);
	if (!strcmp(f.name, IPVS_GENL_NAME))
		*id = f.id;
	return MNL_CB_OK;
}

static int family_id(__u16 *ret)
{
	char buf[128] = { 0 };
	__u16 id = 0;
	int r;

	r = ivb_nl_talk(NETLINK_GENERIC, request(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1),
			family_msg, &id);
	if (r)
		return r;
	if (!id)
		return -ENOENT;
	*ret = id;
	return 0;
}

/*
 * --- what both have -----------------------------------------------------------------------------
 */

static int stats_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_traffic *s = arg;

	switch (mnl_attr_get_type(attr)) {
	case IPVS_STATS_ATTR_CONNS:
		s->conns = mnl_attr_get_u64(attr);
		break;
	case IPVS_STATS_ATTR_INPKTS:
		s->in_packets = mnl_attr_get_u64(attr);
		break;
	case IPVS_STATS_ATTR_OUTPKTS:
		s->out_packets = mnl_attr_get_u64(attr);
		break;
	case IPVS_STATS_ATTR_INBYTES:
		s->in_bytes = mnl_attr_get_u64(attr);
		break;
	case IPVS_STATS_ATTR_OUTBYTES:
		s->out_bytes = mnl_attr_get_u64(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void get_addr(union ivb_addr *ret, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(ret, mnl_attr_get_payload(attr), len < sizeof(*ret) ? len : sizeof(*ret));
}

/* The kernel fills all 16 bytes; of an IPv4 address only the first four are its. */
static void trim_addr(int af, union ivb_addr *a)
{
	if (af == AF_INET)
		a->ip6[1] = a->ip6[2] = a->ip6[3] = 0;
}

/*
 * --- servers of a service
 * --------------------------------------------------------------------------
 */

static int dest_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_ipvs_dest *d = arg;

	switch (mnl_attr_get_type(attr)) {
	case IPVS_DEST_ATTR_ADDR_FAMILY:
		d->af = (__u8)mnl_attr_get_u16(attr);
		break;
	case IPVS_DEST_ATTR_ADDR:
		get_addr(&d->addr, attr);
		break;
	case IPVS_DEST_ATTR_PORT:
		d->port = mnl_attr_get_u16(attr);
		break;
	case IPVS_DEST_ATTR_STATS64:
		return mnl_attr_parse_nested(attr, stats_attr, &d->stats);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int dest_cmd_attr(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) != IPVS_CMD_ATTR_DEST)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, dest_attr, arg);
}

static int dest_msg(const struct nlmsghdr *nlh, void *arg)
{
	struct ivb_ipvs_service *svc = arg;
	struct ivb_ipvs_dest *d;

	d = grow((void **)&svc->dests, &svc->num_dests, sizeof(*d));
	if (!d) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	d->af = svc->af;
	if (mnl_attr_parse(nlh, GENL_HDRLEN, dest_cmd_attr, d) < 0)
		return MNL_CB_ERROR;
	trim_addr(d->af, &d->addr);
	return MNL_CB_OK;
}

static int dests_get(__u16 family, struct ivb_ipvs_service *svc)
{
	char buf[256] = { 0 };
	struct nlmsghdr *nlh = request(buf, family, IPVS_CMD_GET_DEST, IPVS_GENL_VERSION);
	struct nlattr *nest = mnl_attr_nest_start(nlh, IPVS_CMD_ATTR_SERVICE);

	mnl_attr_put_u16(nlh, IPVS_SVC_ATTR_AF, svc->af);
	if (svc->fwmark) {
		mnl_attr_put_u32(nlh, IPVS_SVC_ATTR_FWMARK, svc->fwmark);
	} else {
		mnl_attr_put_u16(nlh, IPVS_SVC_ATTR_PROTOCOL, svc->proto);
		mnl_attr_put(nlh, IPVS_SVC_ATTR_ADDR, sizeof(svc->addr), &svc->addr);
		mnl_attr_put_u16(nlh, IPVS_SVC_ATTR_PORT, svc->port);
	}
	mnl_attr_nest_end(nlh, nest);
	return ivb_nl_talk(NETLINK_GENERIC, nlh, dest_msg, svc);
}

/*
 * --- services
 * ---------------------------------------------------------------------------------------
 */

struct list {
	struct ivb_ipvs_service *services;
	size_t num;
};

static int service_attr(const struct nlattr *attr, void *arg)
{
	struct ivb_ipvs_service *s = arg;
	struct ip_vs_flags flags;

	switch (mnl_attr_get_type(attr)) {
	case IPVS_SVC_ATTR_AF:
		s->af = (__u8)mnl_attr_get_u16(attr);
		break;
	case IPVS_SVC_ATTR_PROTOCOL:
		s->proto = (__u8)mnl_attr_get_u16(attr);
		break;
	case IPVS_SVC_ATTR_ADDR:
		get_addr(&s->addr, attr);
		break;
	case IPVS_SVC_ATTR_PORT:
		s->port = mnl_attr_get_u16(attr);
		break;
	case IPVS_SVC_ATTR_FWMARK:
		s->fwmark = mnl_attr_get_u32(attr);
		break;
	case IPVS_SVC_ATTR_FLAGS:
		memcpy(&flags, mnl_attr_get_payload(attr), sizeof(flags));
		s->one_packet = flags.flags & IP_VS_SVC_F_ONEPACKET;
		break;
	case IPVS_SVC_ATTR_PE_NAME:
		s->pe = true;
		break;
	case IPVS_SVC_ATTR_SCHED_NAME:
		ivb_nl_get_str(s->scheduler, sizeof(s->scheduler), attr);
		break;
	case IPVS_SVC_ATTR_STATS64:
		return mnl_attr_parse_nested(attr, stats_attr, &s->stats);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int service_cmd_attr(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) != IPVS_CMD_ATTR_SERVICE)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, service_attr, arg);
}

static int service_msg(const struct nlmsghdr *nlh, void *arg)
{
	struct ivb_ipvs_service *s;
	struct list *l = arg;

	s = grow((void **)&l->services, &l->num, sizeof(*s));
	if (!s) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	if (mnl_attr_parse(nlh, GENL_HDRLEN, service_cmd_attr, s) < 0)
		return MNL_CB_ERROR;
	trim_addr(s->af, &s->addr);
	return MNL_CB_OK;
}

void ivb_ipvs_free(struct ivb_ipvs_service *services, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(services[i].dests);
	free(services);
}

static int services_get(__u16 family, struct list *l)
{
	char buf[128] = { 0 };

	return ivb_nl_talk(NETLINK_GENERIC,
			   request(buf, family, IPVS_CMD_GET_SERVICE, IPVS_GENL_VERSION),
			   service_msg, l);
}

int ivb_ipvs_list(struct ivb_ipvs_service **ret, size_t *ret_n)
{
	struct list l = { 0 };
	__u16 family;
	size_t i;
	int r;

	r = family_id(&family);
	if (r)
		return r;
	r = services_get(family, &l);
	for (i = 0; !r && i < l.num; i++)
		r = dests_get(family, &l.services[i]);
	if (r) {
		ivb_ipvs_free(l.services, l.num);
		return r;
	}
	*ret = l.services;
	*ret_n = l.num;
	return 0;
}

int ivb_ipvs_count(size_t *ret)
{
	struct list l = { 0 };
	__u16 family;
	int r = family_id(&family);

	if (!r)
		r = services_get(family, &l);
	if (!r)
		*ret = l.num;
	ivb_ipvs_free(l.services, l.num);
	return r;
}
