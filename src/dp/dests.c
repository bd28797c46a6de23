/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers of a service. A removed one keeps its slot while it has connections, and is revived if
 * it is added again: what the kernel's trash list does (net/netfilter/ipvs/ip_vs_ctl.c).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/edit.h"
#include "dp/instance.h"
#include "dp/services.h"
#include "nl/route.h"

/* Packets change the counts meanwhile. */
#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define _cleanup_edit_ __cleanup(ivb_edit_closep)
#define _cleanup_list_ __cleanup(ivb_edit_list_fini)

/* One change of one server. */
struct change {
	struct ivb_edit *edit;
	struct ivb_service_info *info;
	struct ivb_edit_list list;
	struct ivb_cursor cursor;
};

static void change_fini(struct change *ch)
{
	ivb_edit_list_fini(&ch->list);
	ivb_edit_closep(&ch->edit);
}

static int change_init(struct change *ch, struct ivb_dp *dp, const struct ivb_service_key *key,
		       struct ivb_err *err)
{
	int r;

	r = ivb_edit_open(&ch->edit, dp, err);
	if (!r)
		r = ivb_edit_service(ch->edit, key, &ch->info, err);
	if (!r)
		r = ivb_edit_list(ch->edit, &ch->info->svc, &ch->list);
	if (!r)
		ivb_edit_cursor(ch->edit, &ch->info->svc, &ch->list, &ch->cursor);
	return r;
}

static int change_commit(struct change *ch, struct ivb_err *err)
{
	struct ivb_service *svc = &ch->info->svc;

	ivb_cursor_changed(&ch->cursor, svc->scheduler, ch->list.dests, ch->list.num);
	return ivb_edit_commit(ch->edit, &ch->info->key, svc, &ch->list, &ch->cursor, err);
}

static bool dest_is(const struct ivb_dest *d, const struct ivb_server *s)
{
	return d->af == s->af && d->port == s->port && ivb_addr_equal(&d->addr, &s->addr);
}

/* Index into the list, or -ENOENT and its sentence. */
static int list_find(const struct change *ch, const struct ivb_server *s, struct ivb_err *err)
{
	size_t i;

	for (i = 0; i < ch->list.num; i++) {
		if (dest_is(&ch->edit->dests[ch->list.dests[i].slot], s))
			return (int)i;
	}
	return ivb_err(err, -ENOENT, "the service has no such server");
}

/* Packets move these by atomics, so that for a moment one may be less than zero. */
static __u32 count(__u32 n)
{
	return (int)n > 0 ? n : 0;
}

static bool in_use(const struct ivb_edit *c, __u32 slot)
{
	return count(c->dest_conns[slot].active) || count(c->dest_conns[slot].inactive);
}

/* The slot of the same server that waits for its connections to end, else a free one. */
static int slot_find(const struct ivb_edit *c, const struct ivb_service_key *key,
		     const struct ivb_server *s, __u32 *ret, struct ivb_err *err)
{
	__u32 max = c->dp->meta.max_dests, i, found = IVB_NONE;

	for (i = 0; i < max; i++) {
		const struct ivb_dest *d = &c->dests[i];

		if (d->state == IVB_DEST_REMOVED && dest_is(d, s) && d->proto == key->proto &&
		    d->zone == key->zone && d->vport == key->port &&
		    ivb_addr_equal(&d->vaddr, &key->addr)) {
			*ret = i;
			return 0;
		}
		/* One that was never used rather than one that has just been given up. */
		if (d->state == IVB_DEST_FREE &&
		    (found == IVB_NONE || c->dests[found].state != IVB_DEST_FREE))
			found = i;
		else if (found == IVB_NONE && d->state == IVB_DEST_REMOVED && !in_use(c, i))
			found = i;
	}
	if (found == IVB_NONE)
		return ivb_err(err, -ENOSPC,
			       "there are %u servers already (those that still have "
			       "connections included), which is the limit",
			       max);
	*ret = found;
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

/* The way to the server; warn says what is missing. Without a way the answer is all zero. */
static int route_find(struct change *ch, const struct ivb_server *s, struct ivb_route *ret,
		      struct ivb_err *warn, struct ivb_err *err)
{
	__u32 zero = 0, snat = ch->info->svc.snat;
	char text[IVB_ADDR_LEN];
	struct ivb_config config = {};
	int r;

	*ret = (struct ivb_route){};
	r = ivb_route_get(ret, s->af, &s->addr);
	if (bpf_map_lookup_elem(ch->edit->dp->fds[IVB_MAP_CONFIG], &zero, &config))
		return ivb_err(err, -errno, "cannot read config: %s", strerror(errno));
	if (snat == IVB_SNAT_DEFAULT)
		snat = config.snat;
	ivb_addr_fmt(text, sizeof(text), s->af, &s->addr);
	if (snat != IVB_SNAT_NEVER && ivb_addr_is_zero(&ret->src) &&
	    !config.num_snat_addrs[s->af == AF_INET ? 0 : 1])
		ivb_err(warn, 0,
			"no source address is known towards %s, and the service wants SNAT: its "
			"connections will be dropped until `up --snat-addr` names one",
			text);
	else if (r)
		ivb_err(warn, 0, "there is no route to %s now (%s)", text, strerror(-r));
	return 0;
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

static void dest_limit_once(const struct ivb_dest *d, struct ivb_dest_conns *c)
{
	__u32 all = count(READ_ONCE(c->active)) + count(READ_ONCE(c->inactive));

	if (d->upper && all >= d->upper)
		WRITE_ONCE(c->overloaded, 1);
	else if (!d->upper || all < (d->lower ? d->lower : d->upper - d->upper / 4))
		WRITE_ONCE(c->overloaded, 0);
}

/*
 * The limits may be others now (__ip_vs_dest_update_overload()). Packets do the same as connections
 * begin and end; the last ones may have ended while we were about to write, hence twice.
 */
static void dest_limit(const struct ivb_edit *edit, __u32 slot)
{
	dest_limit_once(&edit->dests[slot], &edit->dest_conns[slot]);
	dest_limit_once(&edit->dests[slot], &edit->dest_conns[slot]);
}

/* Fills a slot that no list names, so nobody looks at it. */
static int slot_fill(struct change *ch, __u32 slot, const struct ivb_server *s,
		     const union ivb_addr *src, struct ivb_err *err)
{
	const struct ivb_service_key *key = &ch->info->key;
	const struct ivb_dest_conns none = {};
	struct ivb_dest d = {
		.addr = s->addr,
		.vaddr = key->addr,
		.snat_addr = *src,
		.port = s->port,
		.vport = key->port,
		.af = s->af,
		.proto = key->proto,
		.zone = key->zone,
		.state = IVB_DEST_AVAILABLE,
		.service = ch->info->svc.slot,
		.next = ch->list.num ? ch->list.dests[0].slot : IVB_NONE,
	};

	dest_set(&d, s);
	if (bpf_map_update_elem(ch->edit->dp->fds[IVB_MAP_DEST_CONNS], &slot, &none, BPF_ANY))
		return ivb_err(err, -errno, "cannot clear the server's counters: %s",
			       strerror(errno));
	return ivb_edit_dest(ch->edit, slot, &d, err);
}

/* The same server with its connections: they go on as soon as it is available again. */
static int slot_revive(struct change *ch, __u32 slot, const struct ivb_server *s,
		       const union ivb_addr *src, struct ivb_err *err)
{
	struct ivb_dest d = ch->edit->dests[slot];

	d.snat_addr = *src;
	dest_set(&d, s);
	d.last_weight = s->weight;
	d.service = ch->info->svc.slot;
	d.next = ch->list.num ? ch->list.dests[0].slot : IVB_NONE;
	d.state = IVB_DEST_AVAILABLE;
	return ivb_edit_dest(ch->edit, slot, &d, err);
}

int ivb_dest_add(struct ivb_dp *dp, const struct ivb_service_key *key,
		 const struct ivb_server *server, struct ivb_err *warn, struct ivb_err *err)
{
	__cleanup(change_fini) struct change ch = {};
	struct ivb_route route;
	__u32 slot = IVB_NONE;
	int r;

	r = change_init(&ch, dp, key, err);
	if (!r)
		r = limits_check(server, err);
	if (r)
		return r;
	if (list_find(&ch, server, NULL) >= 0)
		return ivb_err(err, -EEXIST, "the service has this server already");
	if (server->af != key->af)
		return ivb_err(err, -EAFNOSUPPORT, "service and server are of different families");
	if (!ivb_addr_is_unicast(server->af, &server->addr))
		return ivb_err(err, -EINVAL, "the server's address is not a unicast address");
	r = route_find(&ch, server, &route, warn, err);
	if (!r)
		r = address_check(server, &route, err);
	if (!r)
		r = slot_find(ch.edit, key, server, &slot, err);
	if (r)
		return r;
	if (ch.edit->dests[slot].state == IVB_DEST_REMOVED && in_use(ch.edit, slot))
		r = slot_revive(&ch, slot, server, &route.src, err);
	else
		r = slot_fill(&ch, slot, server, &route.src, err);
	if (r)
		return r;
	dest_limit(ch.edit, slot);
	memmove(ch.list.dests + 1, ch.list.dests, ch.list.num * sizeof(*ch.list.dests));
	ch.list.dests[0] = ivb_edit_sched_dest(ch.edit, slot);
	ch.list.num++;
	r = change_commit(&ch, err);
	if (r) /* back to where it came from: removed, to be used again when it has no connections */
		ivb_edit_dest_state(ch.edit, slot, IVB_DEST_REMOVED, NULL);
	return r;
}

int ivb_dest_edit(struct ivb_dp *dp, const struct ivb_service_key *key,
		  const struct ivb_server *server, struct ivb_err *warn, struct ivb_err *err)
{
	__cleanup(change_fini) struct change ch = {};
	struct ivb_dest old, new;
	struct ivb_route route;
	__u32 slot;
	int i, r;

	r = change_init(&ch, dp, key, err);
	if (r)
		return r;
	r = limits_check(server, err);
	if (r)
		return r;
	i = list_find(&ch, server, err);
	if (i < 0)
		return i;
	r = route_find(&ch, server, &route, warn, err);
	if (r)
		return r;
	slot = ch.list.dests[i].slot;
	old = ch.edit->dests[slot];
	new = old;
	dest_set(&new, server);
	if (!ivb_addr_is_zero(&route.src) && !route.local)
		new.snat_addr = route.src;
	/* Before the commit, so that a command that goes on after a kill here finds what was wanted. */
	r = ivb_edit_dest(ch.edit, slot, &new, err);
	if (r)
		return r;
	dest_limit(ch.edit, slot);
	ch.list.dests[i] = ivb_edit_sched_dest(ch.edit, slot);
	r = change_commit(&ch, err);
	if (r) {
		ivb_edit_dest(ch.edit, slot, &old, NULL);
		dest_limit(ch.edit, slot);
	}
	return r;
}

int ivb_dest_del(struct ivb_dp *dp, const struct ivb_service_key *key,
		 const struct ivb_server *server, struct ivb_err *err)
{
	__cleanup(change_fini) struct change ch = {};
	struct ivb_dest before;
	__u32 slot;
	int i, r;

	r = change_init(&ch, dp, key, err);
	if (r)
		return r;
	i = list_find(&ch, server, err);
	if (i < 0)
		return i;
	slot = ch.list.dests[i].slot;
	ivb_cursor_removing(&ch.cursor, ch.list.dests, ch.list.num, (size_t)i);
	ch.list.num--;
	memmove(ch.list.dests + i, ch.list.dests + i + 1,
		(ch.list.num - (size_t)i) * sizeof(*ch.list.dests));
	r = change_commit(&ch, err);
	if (r)
		return r;
	/* No connection is scheduled there any more; only now may its packets be refused. */
	if (i) {
		before = ch.edit->dests[ch.list.dests[i - 1].slot];
		before.next = ch.edit->dests[slot].next;
		r = ivb_edit_dest(ch.edit, ch.list.dests[i - 1].slot, &before, err);
	}
	return r ? r : ivb_edit_dest_state(ch.edit, slot, IVB_DEST_REMOVED, err);
}

int ivb_dests_list(struct ivb_dp *dp, const struct ivb_service *svc, struct ivb_dest_info **ret,
		   size_t *ret_n, struct ivb_err *err)
{
	size_t n = 0, room = svc->num_dests + 16;
	_cleanup_free_ struct ivb_dest_info *list = calloc(room, sizeof(*list));
	__u32 slot;

	if (!list)
		return -ENOMEM;
	/* A killed removal may leave one more in the list than the service counts. */
	for (slot = svc->first_dest; slot != IVB_NONE && n < room; n++) {
		struct ivb_dest_info *d = &list[n];

		d->slot = slot;
		if (bpf_map_lookup_elem(dp->fds[IVB_MAP_DESTS], &slot, &d->dest) ||
		    bpf_map_lookup_elem(dp->fds[IVB_MAP_DEST_CONNS], &slot, &d->conns))
			return ivb_err(err, -errno, "cannot read server %u: %s", slot,
				       strerror(errno));
		d->conns.active = count(d->conns.active);
		d->conns.inactive = count(d->conns.inactive);
		slot = d->dest.next;
	}
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}
