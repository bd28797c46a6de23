/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers of a service: adding, editing, removing, listing. */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/services/session_int.h"
#include "dp/services/list.h"
#include "dp/services/services.h"

static bool dest_is(const struct ivb_dest *d, const struct ivb_server *s)
{
	return d->af == s->af && d->port == s->port && ivb_addr_equal(&d->addr, &s->addr);
}

/* Its index in the list; -ENOENT and its sentence if there is none. */
static int list_find(struct ivb_session *session, const struct ivb_session_service *svc,
		     const struct ivb_server *s, struct ivb_session_dest **ret, struct ivb_err *err)
{
	size_t i;
	int r;

	for (i = 0; i < svc->list.num; i++) {
		r = ivb_session_dest(session, svc->list.dests[i].slot, ret, err);
		if (r)
			return r;
		if (dest_is(&(*ret)->dest, s))
			return (int)i;
	}
	return ivb_err(err, -ENOENT, "the service has no such server");
}

static void list_changed(struct ivb_session_service *svc)
{
	ivb_sched_cursor_changed(&svc->cursor, svc->svc.scheduler, svc->list.dests, svc->list.num);
	svc->rewrite = true;
}

/* Whether packets can be handed to a server with this address. */
static int address_check(const struct ivb_server *s, const struct ivb_route *route,
			 struct ivb_err *err)
{
	char text[IVB_ADDR_LEN];

	ivb_addr_fmt(text, sizeof(text), s->af, &s->addr);
	if (route->local || ivb_addr_is_loopback(s->af, &s->addr))
		return ivb_err(err, -EADDRNOTAVAIL,
			       "%s is an address of the director itself: packets cannot be handed "
			       "to local servers, give it an address in a namespace of its own",
			       text);
	if (route->broadcast)
		return ivb_err(err, -EINVAL, "%s is the broadcast address of a subnet", text);
	return 0;
}

/* As ip_vs_add_dest() and ip_vs_edit_dest() */
static int limits_check(const struct ivb_server *s, struct ivb_err *err)
{
	if (s->lower <= s->upper)
		return 0;
	return ivb_err(err, -ERANGE, "the lower threshold %u is above the upper one, %u", s->lower,
		       s->upper);
}

/* The weight and limits that the user gave. */
static void dest_set(struct ivb_dest *d, const struct ivb_server *s)
{
	if (s->weight)
		d->last_weight = s->weight;
	d->weight = s->weight;
	d->upper = s->upper;
	d->lower = s->lower;
}

/* The device towards a server, as the program asks for it (engine_bpf/new.h). */
static void dev_check(const struct ivb_session *session, const struct ivb_session_service *svc,
		      const char *server, __u32 ifindex, struct ivb_err *warn)
{
	char name[IF_NAMESIZE];
	struct ivb_dev dev;

	if (!if_indextoname(ifindex, name))
		return;
	if (bpf_map_lookup_elem(session->dp->fds[IVB_MAP_DEVS], &ifindex, &dev))
		ivb_err(warn, 0,
			"the way to %s leads through %s, which is not attached: its connections will "
			"be dropped until `ipvs-bpf up %s`",
			server, name, name);
	else if (dev.zone != svc->key.zone)
		ivb_err(warn, 0,
			"the way to %s leads through %s, which is in zone %u and not in the service's, "
			"%u: its connections will be dropped",
			server, name, dev.zone, svc->key.zone);
}

/* The way to the server; warn says what is missing. Without a way the answer is all zero. */
static int route_find(struct ivb_session *session, const struct ivb_session_service *svc,
		      const struct ivb_server *s, struct ivb_route *ret, struct ivb_err *warn)
{
	const struct ivb_config *config = &session->config;
	__u32 snat = svc->svc.snat == IVB_SNAT_DEFAULT ? config->snat : svc->svc.snat;
	char text[IVB_ADDR_LEN];
	int r;

	*ret = (struct ivb_route){};
	r = ivb_session_dest_route(session, s->af, &s->addr, ret);
	ivb_addr_fmt(text, sizeof(text), s->af, &s->addr);
	if (snat != IVB_SNAT_NEVER && ivb_addr_is_zero(&ret->src) &&
	    !config->num_snat_addrs[s->af == AF_INET ? 0 : 1])
		ivb_err(warn, 0,
			"no source address is known towards %s, and the service wants SNAT: its "
			"connections will be dropped until `up --snat-addr` names one",
			text);
	else if (r)
		ivb_err(warn, 0, "there is no route to %s now (%s)", text, strerror(-r));
	else if (!ret->local)
		dev_check(session, svc, text, ret->ifindex, warn);
	return r == -ENOMEM ? r : 0;
}

/* The same server with its connections: they go on as soon as it is available again. */
static int dest_revive(struct ivb_session *session, struct ivb_session_dest *d, struct ivb_err *err)
{
	struct ivb_dest_conns conns;

	if (bpf_map_lookup_elem(session->dp->fds[IVB_MAP_DEST_CONNS], &d->slot, &conns))
		return ivb_err(err, -errno, "cannot read server %u: %m", d->slot);
	d->fresh = !ivb_conns_count(conns.active) && !ivb_conns_count(conns.inactive);
	d->dest.state = IVB_DEST_AVAILABLE;
	return 0;
}

/* A dest that is not in a list yet. */
static int dest_take(struct ivb_session *session, const struct ivb_session_service *svc,
		     const struct ivb_server *s, struct ivb_session_dest **ret, struct ivb_err *err)
{
	const struct ivb_service_key *key = &svc->key;
	struct ivb_dest new = {
		.addr = s->addr,
		.vaddr = key->addr,
		.port = s->port,
		.vport = key->port,
		.af = s->af,
		.proto = key->proto,
		.zone = key->zone,
		.state = IVB_DEST_AVAILABLE,
		.next = IVB_NONE,
	};
	struct ivb_session_dest *d;
	bool revive;
	int r;

	r = ivb_session_dest_find(session, &new, &d, &revive, err);
	if (!r && revive)
		r = dest_revive(session, d, err);
	if (r)
		return r;
	if (!revive) {
		d->dest = new;
		d->fresh = true;
	}
	*ret = d;
	return 0;
}

int ivb_dest_add(struct ivb_session *session, const struct ivb_service_key *key,
		 const struct ivb_server *server, struct ivb_err *warn, struct ivb_err *err)
{
	struct ivb_session_service *svc;
	struct ivb_sched_dest sched;
	struct ivb_route route;
	struct ivb_session_dest *d;
	int r;

	r = ivb_session_service_change(session, key, &svc, err);
	if (r)
		return r;
	r = list_find(session, svc, server, &d, NULL);
	if (r != -ENOENT)
		return r < 0 ? r : ivb_err(err, -EEXIST, "the service has this server already");
	if (server->af != key->af)
		return ivb_err(err, -EAFNOSUPPORT, "service and server are of different families");
	if (!ivb_addr_is_unicast(server->af, &server->addr))
		return ivb_err(err, -EINVAL, "the server's address is not a unicast address");
	r = route_find(session, svc, server, &route, warn);
	if (!r)
		r = address_check(server, &route, err);
	if (!r)
		r = limits_check(server, err);
	if (!r)
		r = dest_take(session, svc, server, &d, err);
	if (r)
		return r;
	d->dest.snat_addr = route.src;
	dest_set(&d->dest, server);
	d->dest.last_weight = server->weight;
	d->changed = true;
	sched = ivb_session_dest_sched(d);
	r = ivb_session_service_list_insert(&svc->list, &sched);
	if (!r)
		list_changed(svc);
	return r;
}

/* A server of a service that will be changed: its place in the list. */
static int change_find(struct ivb_session *session, const struct ivb_service_key *key,
		       const struct ivb_server *server, struct ivb_session_service **ret_svc,
		       struct ivb_session_dest **ret, struct ivb_err *err)
{
	int r = ivb_session_service_change(session, key, ret_svc, err);

	return r ? r : list_find(session, *ret_svc, server, ret, err);
}

int ivb_dest_edit(struct ivb_session *session, const struct ivb_service_key *key,
		  const struct ivb_server *server, struct ivb_err *warn, struct ivb_err *err)
{
	struct ivb_session_service *svc;
	struct ivb_route route;
	struct ivb_session_dest *d;
	int i, r;

	i = change_find(session, key, server, &svc, &d, err);
	if (i < 0)
		return i;
	r = route_find(session, svc, server, &route, warn);
	if (!r)
		r = limits_check(server, err);
	if (r)
		return r;
	dest_set(&d->dest, server);
	if (!ivb_addr_is_zero(&route.src) && !route.local)
		d->dest.snat_addr = route.src;
	d->changed = true;
	svc->list.dests[i] = ivb_session_dest_sched(d);
	list_changed(svc);
	return 0;
}

int ivb_dest_del(struct ivb_session *session, const struct ivb_service_key *key,
		 const struct ivb_server *server, struct ivb_err *err)
{
	struct ivb_session_service *svc;
	struct ivb_session_list *list;
	struct ivb_session_dest *d;
	int i, r;

	i = change_find(session, key, server, &svc, &d, err);
	if (i < 0)
		return i;
	r = ivb_session_dest_remove(session, d);
	if (r)
		return r;
	list = &svc->list;
	ivb_sched_cursor_removing(&svc->cursor, list->dests, list->num, (size_t)i);
	list->num--;
	memmove(list->dests + i, list->dests + i + 1,
		(list->num - (size_t)i) * sizeof(*list->dests));
	list_changed(svc);
	return 0;
}
