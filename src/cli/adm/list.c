/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adm -L as text: ipvsadm's formats, to the blank. */
#include "cli/adm/list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/report/conns.h"
#include "dp/services/list.h"
#include "model/names.h"
#include "model/order.h"

#define DEST_NAME_MAX 28 /* names of servers are cut here */

static int service_cmp(const void *a, const void *b)
{
	const struct ivb_adm_entry *x = a, *y = b;

	return ivb_service_order(&x->info.key, &y->info.key);
}

static int dest_cmp(const void *a, const void *b)
{
	const struct ivb_dest_info *x = a, *y = b;

	return ivb_dest_order(&x->dest, &y->dest);
}

static int services_load(struct ivb_dp *dp, const struct ivb_adm *adm,
			 struct ivb_service_info **ret, size_t *ret_n, struct ivb_err *err)
{
	struct ivb_service_info *one;
	int r;

	if (!adm->has_service)
		return ivb_list_services(dp, ret, ret_n, err);
	one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	one->key = adm->key;
	r = ivb_list_service(dp, &adm->key, &one->svc, err);
	if (r) {
		free(one);
		return r;
	}
	*ret = one;
	*ret_n = 1;
	return 0;
}

int ivb_adm_list_load(struct ivb_adm_table *ret, struct ivb_dp *dp, const struct ivb_adm *adm,
		      struct ivb_err *err)
{
	__cleanup(ivb_adm_list_fini) struct ivb_adm_table table = {};
	_cleanup_free_ struct ivb_service_info *services = NULL;
	size_t n, i;
	int r;

	r = services_load(dp, adm, &services, &n, err);
	if (r)
		return r;
	table.entries = calloc(n ? n : 1, sizeof(*table.entries));
	if (!table.entries)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct ivb_adm_entry *e = &table.entries[i];

		table.num = i + 1;
		e->info = services[i];
		r = ivb_list_dests(dp, &e->info.svc, &e->dests, &e->num_dests, err);
		if (r)
			return r;
		if (!adm->nosort)
			qsort(e->dests, e->num_dests, sizeof(*e->dests), dest_cmp);
	}
	if (!adm->nosort)
		qsort(table.entries, n, sizeof(*table.entries), service_cmp);
	*ret = table;
	table = (struct ivb_adm_table){};
	return 0;
}

void ivb_adm_list_fini(struct ivb_adm_table *table)
{
	size_t i;

	for (i = 0; i < table->num; i++)
		free(table->entries[i].dests);
	free(table->entries);
}

static bool host_name(char *buf, size_t size, __u8 af, const union ivb_addr *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = addr->ip };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	if (af == AF_INET)
		return !getnameinfo((struct sockaddr *)&sin, sizeof(sin), buf, (socklen_t)size,
				    NULL, 0, NI_NAMEREQD);
	memcpy(&sin6.sin6_addr, addr->ip6, sizeof(addr->ip6));
	return !getnameinfo((struct sockaddr *)&sin6, sizeof(sin6), buf, (socklen_t)size, NULL, 0,
			    NI_NAMEREQD);
}

char *ivb_adm_list_name(char *buf, size_t size, __u8 af, const union ivb_addr *addr, __be16 port,
			__u8 proto, bool numeric)
{
	const struct servent *se;
	char host[NI_MAXHOST];

	if (numeric)
		return ivb_addrport_fmt(buf, size, af, addr, port);
	if (!host_name(host, sizeof(host), af, addr))
		ivb_addr_fmt(host, sizeof(host), af, addr);
	se = getservbyport(port, proto == IPPROTO_UDP ? "udp" : "tcp");
	if (se)
		snprintf(buf, size, af == AF_INET6 ? "[%s]:%.32s" : "%s:%.32s", host, se->s_name);
	else
		snprintf(buf, size, af == AF_INET6 ? "[%s]:%u" : "%s:%u", host, ntohs(port));
	return buf;
}

char *ivb_adm_list_dest_name(char *buf, size_t size, const struct ivb_dest_info *d, bool numeric)
{
	ivb_adm_list_name(buf, size, d->dest.af, &d->dest.addr, d->dest.port, d->dest.proto,
			  numeric);
	if (buf[0] != '[' && strlen(buf) > DEST_NAME_MAX)
		buf[DEST_NAME_MAX] = '\0';
	return buf;
}

static void print_dest(const struct ivb_dest_info *d, const struct ivb_adm *adm)
{
	char name[IVB_ADM_NAME_LEN];

	printf("  -> %-28s ", ivb_adm_list_dest_name(name, sizeof(name), d, adm->numeric));
	switch (adm->list) {
	case IVB_ADM_LIST_THRESHOLDS:
		printf("%-10u %-10u ", d->dest.upper, d->dest.lower);
		break;
	case IVB_ADM_LIST_PERSISTENT:
		printf("%-9u %-11u ", d->dest.weight, d->conns.persistent);
		break;
	default:
		printf("%-7s %-6d ", "Masq", (int)d->dest.weight);
	}
	printf("%-10u %-10u\n", d->conns.active, d->conns.inactive);
}

void ivb_adm_list_print_title(const struct ivb_adm *adm, __u32 max_conns)
{
	static const char *const titles[] = {
		[IVB_ADM_LIST_SERVICES] =
			"Prot LocalAddress:Port Scheduler Flags\n"
			"  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
		[IVB_ADM_LIST_STATS] =
			"Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
			"  -> RemoteAddress:Port",
		[IVB_ADM_LIST_RATE] =
			"Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
			"  -> RemoteAddress:Port",
		[IVB_ADM_LIST_THRESHOLDS] =
			"Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n"
			"  -> RemoteAddress:Port",
		[IVB_ADM_LIST_PERSISTENT] =
			"Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n"
			"  -> RemoteAddress:Port",
	};

	if (!adm->has_service)
		printf("IP Virtual Server version 1.2.1 (size=%u)\n", max_conns);
	puts(titles[adm->list]);
}

void ivb_adm_list_print(const struct ivb_adm_table *table, const struct ivb_adm *adm,
			__u32 max_conns)
{
	char name[IVB_ADM_NAME_LEN], flags[IVB_SCHED_FLAGS_LEN];
	size_t i, j;

	ivb_adm_list_print_title(adm, max_conns);
	for (i = 0; i < table->num; i++) {
		const struct ivb_adm_entry *e = &table->entries[i];
		const struct ivb_service_key *key = &e->info.key;

		printf("%-4s %s %s", ivb_proto_name(key->proto),
		       ivb_adm_list_name(name, sizeof(name), key->af, &key->addr, key->port,
					 key->proto, adm->numeric),
		       ivb_scheduler_name(e->info.svc.scheduler));
		if (e->info.svc.flags)
			printf(" (%s)", ivb_sched_flags_names(flags, e->info.svc.scheduler,
							      e->info.svc.flags));
		/* Ours: shown only where it was asked for. */
		if (key->zone)
			printf(" zone %u", key->zone);
		if (e->info.svc.snat != IVB_SNAT_DEFAULT)
			printf(" snat %s", ivb_snat_name(e->info.svc.snat));
		putchar('\n');
		for (j = 0; j < e->num_dests; j++)
			print_dest(&e->dests[j], adm);
	}
}

static int print_conn(const struct ivb_conn_info *c, void *arg)
{
	const struct ivb_adm *adm = arg;
	char client[IVB_ADM_NAME_LEN], virtual[IVB_ADM_NAME_LEN], server[IVB_ADM_NAME_LEN],
		expire[16];

	if (c->kernel)
		return 0;
	snprintf(expire, sizeof(expire), "%02u:%02u", c->expires / 60, c->expires % 60);
	printf("%-3s %-6s %-11s %-18s %-18s %s\n", ivb_proto_name(c->proto), expire,
	       ivb_conn_state_name(c->state),
	       ivb_adm_list_name(client, sizeof(client), c->af, &c->caddr, c->cport, c->proto,
				 adm->numeric),
	       ivb_adm_list_name(virtual, sizeof(virtual), c->af, &c->vaddr, c->vport, c->proto,
				 adm->numeric),
	       ivb_adm_list_name(server, sizeof(server), c->af, &c->daddr, c->dport, c->proto,
				 adm->numeric));
	return 0;
}

int ivb_adm_list_print_conns(struct ivb_dp *dp, const struct ivb_adm *adm, struct ivb_err *err)
{
	struct ivb_adm copy = *adm;

	printf("IPVS connection entries\n"
	       "pro expire state       source             virtual            destination%s\n",
	       adm->persistent_conn ? "        pe name          pe_data" : "");
	return ivb_conns_walk(dp, print_conn, &copy, err);
}
