/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dests of a session: as they will be, and which one a new server gets. A removed one keeps its
 * slot while it has connections, and is revived if it is added again: what the kernel's trash list
 * does (net/netfilter/ipvs/ip_vs_ctl.c).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/services/session_int.h"

/* Removed dests in a tree by what makes them the same; and those that nobody needs any more. */
struct waiting {
	struct ivb_dest dest;
	__u32 slot;
	struct waiting *next; /* all of them, to be freed */
};

struct ivb_session_search {
	void *tree;
	struct waiting *all;
	__u32 next_unused; /* no slot from here on has ever been used */
	__u32 *given_up;   /* removed, and without connections */
	__u32 num_given_up, next_given_up;
};

int ivb_session_dest(struct ivb_session *session, __u32 slot, struct ivb_session_dest **ret,
		     struct ivb_err *err)
{
	_cleanup_free_ struct ivb_session_dest *d = NULL;
	__u32 *list;

	if (slot >= session->dp->meta.max_dests)
		return ivb_err(err, -EUCLEAN, "there is no server slot %u: the maps are damaged",
			       slot);
	if (session->dests[slot]) {
		*ret = session->dests[slot];
		return 0;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->slot = slot;
	if (bpf_map_lookup_elem(session->dp->fds[IVB_MAP_DESTS], &slot, &d->dest))
		return ivb_err(err, -errno, "cannot read server %u: %m", slot);
	if (!(session->num_dests & (session->num_dests + 1))) {
		list = reallocarray(session->dest_list, 2 * (session->num_dests + 1),
				    sizeof(*list));
		if (!list)
			return -ENOMEM;
		session->dest_list = list;
	}
	session->dest_list[session->num_dests++] = slot;
	session->dests[slot] = d;
	*ret = TAKE_PTR(d);
	return 0;
}

static int waiting_cmp(const void *a, const void *b)
{
	const struct ivb_dest *x = &((const struct waiting *)a)->dest;
	const struct ivb_dest *y = &((const struct waiting *)b)->dest;
	int r = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	if (!r)
		r = memcmp(&x->vaddr, &y->vaddr, sizeof(x->vaddr));
	if (!r)
		r = (x->port > y->port) - (x->port < y->port);
	if (!r)
		r = (x->vport > y->vport) - (x->vport < y->vport);
	if (!r)
		r = x->af != y->af ? x->af - y->af : x->proto - y->proto;
	return r ? r : (x->zone > y->zone) - (x->zone < y->zone);
}

static int waiting_add(struct ivb_session_search *s, __u32 slot, const struct ivb_dest *dest)
{
	struct waiting *w = calloc(1, sizeof(*w)), **node;

	if (!w)
		return -ENOMEM;
	*w = (struct waiting){ .dest = *dest, .slot = slot, .next = s->all };
	s->all = w;
	node = tsearch(w, &s->tree, waiting_cmp);
	if (!node)
		return -ENOMEM;
	(*node)->slot = slot;
	return 0;
}

static void leave(void *p)
{
	(void)p;
}

void ivb_session_dests_search_free(struct ivb_session_search *s)
{
	struct waiting *w, *next;

	if (!s)
		return;
	tdestroy(s->tree, leave);
	for (w = s->all; w; w = next) {
		next = w->next;
		free(w);
	}
	free(s->given_up);
	free(s);
}

/* Packets move these by atomics, so that for a moment one may be less than zero. */
static bool in_use(const struct ivb_dest_conns *c)
{
	return (int)c->active > 0 || (int)c->inactive > 0;
}

/* Slots are taken in order, so that those never used are at the end. */
static int search_fill(struct ivb_session *session, struct ivb_session_search *s,
		       const struct ivb_dest *dests, const struct ivb_dest_conns *conns)
{
	__u32 max = session->dp->meta.max_dests, i;
	int r = 0;

	for (i = 0; !r && i < max && dests[i].state != IVB_DEST_FREE; i++) {
		if (dests[i].state != IVB_DEST_REMOVED)
			continue;
		if (in_use(&conns[i])) {
			r = waiting_add(s, i, &dests[i]);
			continue;
		}
		if (!(s->num_given_up & (s->num_given_up + 1))) {
			__u32 *list =
				reallocarray(s->given_up, 2 * (s->num_given_up + 1), sizeof(*list));

			if (!list)
				return -ENOMEM;
			s->given_up = list;
		}
		s->given_up[s->num_given_up++] = i;
	}
	s->next_unused = i;
	return r;
}

static int search_make(struct ivb_session *session, struct ivb_err *err)
{
	__u32 max = session->dp->meta.max_dests;
	const struct ivb_dest_conns *conns = NULL;
	const struct ivb_dest *dests = NULL;
	size_t i;
	int r;

	if (session->search)
		return 0;
	session->search = calloc(1, sizeof(*session->search));
	if (!session->search)
		return -ENOMEM;
	dests = ivb_map_mmap(session->dp, IVB_MAP_DESTS, sizeof(*dests), max, err);
	conns = dests ? ivb_map_mmap(session->dp, IVB_MAP_DEST_CONNS, sizeof(*conns), max, err)
		      : NULL;
	r = conns ? search_fill(session, session->search, dests, conns) : -errno;
	ivb_map_munmap(dests, sizeof(*dests), max);
	ivb_map_munmap(conns, sizeof(*conns), max);
	for (i = 0; !r && i < session->num_dests; i++) {
		const struct ivb_session_dest *d = session->dests[session->dest_list[i]];

		if (d->changed && d->dest.state == IVB_DEST_REMOVED)
			r = waiting_add(session->search, d->slot, &d->dest);
	}
	return r;
}

/* One that was never used rather than one that has just been given up. */
static int unused_take(struct ivb_session *session, __u32 *ret, struct ivb_err *err)
{
	struct ivb_session_search *s = session->search;

	if (s->next_unused < session->dp->meta.max_dests) {
		*ret = s->next_unused++;
		return 0;
	}
	if (s->next_given_up < s->num_given_up) {
		*ret = s->given_up[s->next_given_up++];
		return 0;
	}
	return ivb_err(err, -ENOSPC,
		       "there are %u servers already (those that still have connections included), "
		       "which is the limit",
		       session->dp->meta.max_dests);
}

int ivb_session_dest_find(struct ivb_session *session, const struct ivb_dest *like,
			  struct ivb_session_dest **ret, bool *ret_revive, struct ivb_err *err)
{
	struct waiting key = { .dest = *like }, **node;
	struct ivb_session_dest *d;
	__u32 slot = 0;
	int r;

	r = search_make(session, err);
	if (r)
		return r;
	node = tfind(&key, &session->search->tree, waiting_cmp);
	if (node) {
		r = ivb_session_dest(session, (*node)->slot, &d, err);
		if (!r && d->dest.state == IVB_DEST_REMOVED) {
			*ret = d;
			*ret_revive = true;
			return 0;
		}
	}
	if (!r)
		r = unused_take(session, &slot, err);
	if (!r)
		r = ivb_session_dest(session, slot, &d, err);
	if (r)
		return r;
	*ret = d;
	*ret_revive = false;
	return 0;
}

int ivb_session_dest_remove(struct ivb_session *session, struct ivb_session_dest *d)
{
	d->dest.state = IVB_DEST_REMOVED;
	d->changed = true;
	return session->search ? waiting_add(session->search, d->slot, &d->dest) : 0;
}

/*
 * --- routes --------------------------------------------------------------------------------------
 */

struct route {
	union ivb_addr addr;
	int af, error;
	struct ivb_route route;
};

static int route_cmp(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int r = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return r ? r : x->af - y->af;
}

int ivb_session_dest_route(struct ivb_session *session, int af, const union ivb_addr *addr,
			   struct ivb_route *ret)
{
	struct route *q = calloc(1, sizeof(*q)), **node;

	if (!q)
		return -ENOMEM;
	q->addr = *addr;
	q->af = af;
	node = tsearch(q, &session->routes, route_cmp);
	if (!node) {
		free(q);
		return -ENOMEM;
	}
	if (*node == q)
		q->error = ivb_route_get(&q->route, af, addr);
	else
		free(q);
	*ret = (*node)->route;
	return (*node)->error;
}

struct ivb_sched_dest ivb_session_dest_sched(const struct ivb_session_dest *d)
{
	return (struct ivb_sched_dest){
		.slot = d->slot,
		.weight = d->dest.weight,
		.last_weight = d->dest.last_weight,
		.value = ivb_hash_value(d->dest.af, &d->dest.addr, d->dest.port),
	};
}
