/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services: adding, editing, removing, listing. */
#include "dp/services/services.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/services/session_int.h"

static int scheduler_check(__u32 scheduler, struct ivb_err *err)
{
	if (scheduler < IVB_SCHED_MAX_)
		return 0;
	return ivb_err(err, -ENOENT, "there is no such scheduler");
}

/* Whether a device has the address: of a VRF's only another routing table knows. */
static bool has_addr(struct ivb_session *session, int af, const union ivb_addr *addr)
{
	const struct ifaddrs *a;

	if (!session->addrs && getifaddrs(&session->addrs))
		return true;
	for (a = session->addrs; a; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != af)
			continue;
		if (af == AF_INET
			    ? ((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr.s_addr ==
				      addr->ip
			    : !memcmp(&((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr,
				      addr->ip6, sizeof(addr->ip6)))
			return true;
	}
	return false;
}

/* Packets to a virtual address that is nowhere here are left to the stack, and routed on. */
static void vip_check(struct ivb_session *session, const struct ivb_service_key *key,
		      struct ivb_err *warn)
{
	char text[IVB_ADDR_LEN];
	struct ivb_route route;

	if (session->config.flags & IVB_CONFIG_ANY_VIP)
		return;
	if ((!ivb_session_dest_route(session, key->af, &key->addr, &route) && route.local) ||
	    has_addr(session, key->af, &key->addr))
		return;
	ivb_addr_fmt(text, sizeof(text), key->af, &key->addr);
	ivb_err(warn, 0,
		"%s is not an address of this host now, and is served only while it is one (ip addr add "
		"%s/%u dev lo, or VRRP) or with `up --any-vip`",
		text, text, key->af == AF_INET ? 32 : 128);
}

int ivb_service_add(struct ivb_session *session, const struct ivb_service_key *key, __u32 scheduler,
		    __u16 flags, __u8 snat, struct ivb_err *warn, struct ivb_err *err)
{
	struct ivb_session_service *s;
	int r;

	r = ivb_session_service(session, key, &s, NULL);
	if (!r)
		return ivb_err(err, -EEXIST, "there is such a service already");
	r = scheduler_check(scheduler, err);
	if (!r)
		r = ivb_session_service_new(session, key, &s, err);
	if (r)
		return r;
	vip_check(session, key, warn);
	s->svc.scheduler = (__u8)scheduler;
	s->svc.flags = flags;
	s->svc.snat = snat;
	ivb_sched_cursor_init(&s->cursor, scheduler, NULL, 0);
	return 0;
}

int ivb_service_edit(struct ivb_session *session, const struct ivb_service_key *key,
		     __u32 scheduler, __u16 flags, __u8 snat, struct ivb_err *err)
{
	struct ivb_session_service *s;
	int r;

	r = ivb_session_service_change(session, key, &s, err);
	if (!r)
		r = scheduler_check(scheduler, err);
	if (r)
		return r;
	if (snat != IVB_SNAT_MAX_)
		s->svc.snat = snat;
	s->svc.flags = flags;
	s->touched = true;
	/* As ip_vs_edit_service(): only another scheduler starts anew. */
	if (s->svc.scheduler != scheduler) {
		s->svc.scheduler = (__u8)scheduler;
		ivb_sched_cursor_init(&s->cursor, scheduler, s->list.dests, s->list.num);
		s->rewrite = true;
	}
	return 0;
}

static int service_remove(struct ivb_session *session, struct ivb_session_service *s,
			  struct ivb_err *err)
{
	struct ivb_session_dest *d;
	size_t i;
	int r;

	r = ivb_session_service_load(session, s, err);
	for (i = 0; !r && i < s->list.num; i++) {
		r = ivb_session_dest(session, s->list.dests[i].slot, &d, err);
		if (!r)
			r = ivb_session_dest_remove(session, d);
	}
	if (r)
		return r;
	s->list.num = 0;
	s->wanted = false;
	s->tag = session->tag;
	return 0;
}

int ivb_service_del(struct ivb_session *session, const struct ivb_service_key *key,
		    struct ivb_err *err)
{
	struct ivb_session_service *s;
	int r;

	r = ivb_session_service(session, key, &s, err);
	return r ? r : service_remove(session, s, err);
}

int ivb_service_flush(struct ivb_session *session, struct ivb_err *err)
{
	size_t i;
	int r;

	r = ivb_session_services_all(session, err);
	for (i = 0; !r && i < session->num_services; i++) {
		if (session->service_list[i]->wanted)
			r = service_remove(session, session->service_list[i], err);
	}
	return r;
}
