/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which service the carried packets belong to. The account of kernel IPVS's connections knows the
 * packets' addresses alone: an address service is found by them, and one with a fwmark by its
 * servers.
 */
#include "dp/report/stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/report/traffic.h"
#include "dp/services/list.h"
#include "model/names.h"
#include "model/order.h"
#include "nl/ipvs.h"

/* Kernel IPVS's address services by key, to be searched; positions, for the services may move. */
struct place {
	struct ivb_service_key key;
	size_t at;
};

struct joining {
	struct ivb_stats out;
	struct place *places;
	size_t num_places;
	size_t num_listed; /* services after these are not listed by the kernel */
};

static struct ivb_stats_service *service_new(struct ivb_stats *stats,
					     const struct ivb_service_key *key, bool ipvs)
{
	struct ivb_stats_service *s;

	s = reallocarray(stats->services, stats->num + 1, sizeof(*s));
	if (!s)
		return NULL;
	stats->services = s;
	s += stats->num++;
	*s = (struct ivb_stats_service){ .key = *key, .ipvs = ipvs };
	return s;
}

static struct ivb_stats_server *server_new(struct ivb_stats_service *svc, __u8 af,
					   const union ivb_addr *addr, __be16 port)
{
	struct ivb_stats_server *s;

	s = reallocarray(svc->servers, svc->num + 1, sizeof(*s));
	if (!s)
		return NULL;
	svc->servers = s;
	s += svc->num++;
	*s = (struct ivb_stats_server){ .af = af, .addr = *addr, .port = port, .slot = IVB_NONE };
	return s;
}

/*
 * --- the kernel's services -----------------------------------------------------------------------
 */

static int kernel_service(struct ivb_stats *stats, const struct ivb_ipvs_service *k)
{
	struct ivb_service_key key = {
		.addr = k->addr,
		.port = k->port,
		.proto = k->fwmark ? 0 : k->proto,
		.af = k->af,
	};
	struct ivb_stats_service *svc = service_new(stats, &key, true);
	size_t i;

	if (!svc)
		return -ENOMEM;
	svc->fwmark = k->fwmark;
	svc->kernel = k->stats;
	memcpy(svc->scheduler, k->scheduler, sizeof(svc->scheduler));
	for (i = 0; i < k->num_dests; i++) {
		const struct ivb_ipvs_dest *d = &k->dests[i];
		struct ivb_stats_server *s = server_new(svc, d->af, &d->addr, d->port);

		if (!s)
			return -ENOMEM;
		s->kernel = d->stats;
	}
	return 0;
}

static int kernel_services(struct ivb_stats *stats, struct ivb_err *err)
{
	struct ivb_ipvs_service *services = NULL;
	size_t n = 0, i;
	int r;

	r = ivb_ipvs_list(&services, &n);
	if (r == -ENOENT)
		return 0;
	if (r)
		return ivb_err(err, r, "cannot read kernel IPVS's services: %s", strerror(-r));
	stats->ipvs = true;
	for (i = 0; !r && i < n; i++)
		r = kernel_service(stats, &services[i]);
	ivb_ipvs_free(services, n);
	return r;
}

/*
 * --- which of them -------------------------------------------------------------------------------
 */

static int place_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ivb_service_key));
}

static int places_make(struct joining *j)
{
	size_t i;

	j->num_listed = j->out.num;
	j->places = calloc(j->num_listed + 1, sizeof(*j->places));
	if (!j->places)
		return -ENOMEM;
	for (i = 0; i < j->num_listed; i++) {
		const struct ivb_stats_service *s = &j->out.services[i];

		if (s->ipvs && !s->fwmark)
			j->places[j->num_places++] = (struct place){ s->key, i };
	}
	qsort(j->places, j->num_places, sizeof(*j->places), place_cmp);
	return 0;
}

static struct ivb_stats_service *service_at(const struct joining *j,
					    const struct ivb_service_key *key)
{
	const struct place *p =
		bsearch(key, j->places, j->num_places, sizeof(*j->places), place_cmp);

	return p ? &j->out.services[p->at] : NULL;
}

/* As kernel IPVS: the port's own service, else one of all ports. */
static struct ivb_stats_service *service_by_address(const struct joining *j,
						    const struct ivb_traffic_key *t)
{
	struct ivb_service_key key = {
		.addr = t->vaddr,
		.port = t->vport,
		.proto = t->proto,
		.af = t->af,
	};
	struct ivb_stats_service *s = service_at(j, &key);

	key.port = 0;
	return s ? s : service_at(j, &key);
}

/* A server with port 0 takes the packets' own port. */
static struct ivb_stats_server *server_of(const struct ivb_stats_service *svc,
					  const struct ivb_traffic_key *t)
{
	size_t i;

	for (i = 0; i < svc->num; i++) {
		struct ivb_stats_server *s = &svc->servers[i];

		if (s->af == t->af && ivb_addr_equal(&s->addr, &t->daddr) &&
		    (s->removed ? s->port == t->dport : !s->port || s->port == t->dport))
			return s;
	}
	return NULL;
}

/* The only service with a fwmark that has the server; with several there is no telling. */
static struct ivb_stats_service *service_by_server(const struct joining *j,
						   const struct ivb_traffic_key *t)
{
	struct ivb_stats_service *found = NULL;
	size_t i;

	for (i = 0; i < j->num_listed; i++) {
		struct ivb_stats_service *s = &j->out.services[i];

		if (!s->fwmark || s->key.af != t->af || !server_of(s, t))
			continue;
		if (found)
			return NULL;
		found = s;
	}
	return found;
}

/* One that the kernel does not list: of an earlier row, or new. */
static struct ivb_stats_service *service_unlisted(struct joining *j,
						  const struct ivb_traffic_key *t)
{
	const struct ivb_service_key key = {
		.addr = t->vaddr,
		.port = t->vport,
		.proto = t->proto,
		.af = t->af,
	};
	struct ivb_stats_service *s;
	size_t i;

	for (i = j->num_listed; i < j->out.num; i++) {
		if (!place_cmp(&j->out.services[i].key, &key))
			return &j->out.services[i];
	}
	s = service_new(&j->out, &key, true);
	if (s)
		s->unlisted = true;
	return s;
}

static int join_row(struct joining *j, const struct ivb_carried_row *row)
{
	struct ivb_stats_service *svc = service_by_address(j, &row->key);
	struct ivb_stats_server *server = svc ? server_of(svc, &row->key) : NULL;
	struct ivb_stats_service *marked;

	if (!server || server->removed) {
		marked = service_by_server(j, &row->key);
		if (marked)
			svc = marked;
		else if (!svc)
			svc = service_unlisted(j, &row->key);
		if (!svc)
			return -ENOMEM;
		server = server_of(svc, &row->key);
	}
	if (!server) {
		server = server_new(svc, row->key.af, &row->key.daddr, row->key.dport);
		if (!server)
			return -ENOMEM;
		server->removed = true;
	}
	ivb_traffic_add(&svc->ebpf, &row->t);
	ivb_traffic_add(&server->ebpf, &row->t);
	return 0;
}

/*
 * --- ours ----------------------------------------------------------------------------------------
 */

static int own_server(struct ivb_stats_service *svc, const struct ivb_dest_info *d)
{
	struct ivb_stats_server *s = server_new(svc, d->dest.af, &d->dest.addr, d->dest.port);

	if (!s)
		return -ENOMEM;
	s->slot = d->slot;
	s->ebpf = (struct ivb_traffic){
		.conns = d->conns.conns,
		.in_packets = d->conns.in_packets,
		.out_packets = d->conns.out_packets,
		.in_bytes = d->conns.in_bytes,
		.out_bytes = d->conns.out_bytes,
	};
	return 0;
}

static int own_service(struct ivb_stats *stats, struct ivb_dp *dp,
		       const struct ivb_service_info *info, struct ivb_err *err)
{
	struct ivb_stats_service *svc = service_new(stats, &info->key, false);
	_cleanup_free_ struct ivb_dest_info *dests = NULL;
	size_t n = 0, i;
	int r;

	if (!svc)
		return -ENOMEM;
	snprintf(svc->scheduler, sizeof(svc->scheduler), "%s",
		 ivb_scheduler_name(info->svc.scheduler));
	r = ivb_list_dests(dp, &info->svc, &dests, &n, err);
	for (i = 0; !r && i < n; i++)
		r = own_server(svc, &dests[i]);
	return r;
}

static int own_services(struct ivb_stats *stats, struct ivb_dp *dp, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_service_info *services = NULL;
	size_t n = 0, i;
	int r;

	r = ivb_list_services(dp, &services, &n, err);
	for (i = 0; !r && i < n; i++)
		r = own_service(stats, dp, &services[i], err);
	return r;
}

/* Live connections are in a server's number of connections already. */
static void own_live(struct ivb_stats_service *svc, const struct ivb_carried *carried)
{
	struct ivb_traffic live;
	size_t i;

	for (i = 0; i < svc->num; i++) {
		struct ivb_stats_server *s = &svc->servers[i];

		if (s->slot < carried->num_dests) {
			live = carried->dests[s->slot];
			live.conns = 0;
			ivb_traffic_add(&s->ebpf, &live);
		}
		ivb_traffic_add(&svc->ebpf, &s->ebpf);
	}
}

/*
 * --- both ----------------------------------------------------------------------------------------
 */

static int service_cmp(const void *a, const void *b)
{
	const struct ivb_stats_service *x = a, *y = b;
	int r = (x->fwmark > y->fwmark) - (x->fwmark < y->fwmark);

	if (!r)
		r = ivb_service_order(&x->key, &y->key);
	return r ? r : x->ipvs - y->ipvs;
}

static int server_cmp(const void *a, const void *b)
{
	const struct ivb_stats_server *x = a, *y = b;
	const struct ivb_dest dx = { .af = x->af, .addr = x->addr, .port = x->port };
	const struct ivb_dest dy = { .af = y->af, .addr = y->addr, .port = y->port };
	int r = ivb_dest_order(&dx, &dy);

	return r ? r : x->removed - y->removed;
}

static void joining_fini(struct joining *j)
{
	ivb_stats_fini(&j->out);
	free(j->places);
}

/* Of none there is no array, which qsort() must not be given. */
static void sort(void *array, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	if (n)
		qsort(array, n, size, cmp);
}

int ivb_stats_get(struct ivb_stats *ret, struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_carried carried __cleanup(ivb_traffic_carried_fini) = { 0 };
	struct joining j __cleanup(joining_fini) = { 0 };
	size_t i;
	int r;

	/* The ended ones come first: a connection that ends in between is not to be counted twice. */
	r = own_services(&j.out, dp, err);
	if (!r)
		r = ivb_traffic_carried_read(&carried, dp, err);
	if (r)
		return r;
	for (i = 0; i < j.out.num; i++)
		own_live(&j.out.services[i], &carried);
	r = kernel_services(&j.out, err);
	if (!r)
		r = places_make(&j);
	for (i = 0; !r && i < carried.num; i++)
		r = join_row(&j, &carried.rows[i]);
	if (r)
		return r;
	sort(j.out.services, j.out.num, sizeof(*j.out.services), service_cmp);
	for (i = 0; i < j.out.num; i++)
		sort(j.out.services[i].servers, j.out.services[i].num,
		     sizeof(*j.out.services[i].servers), server_cmp);
	*ret = j.out;
	j.out = (struct ivb_stats){ 0 };
	return 0;
}

void ivb_stats_fini(struct ivb_stats *stats)
{
	size_t i;

	for (i = 0; i < stats->num; i++)
		free(stats->services[i].servers);
	free(stats->services);
}
