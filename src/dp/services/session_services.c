/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The services of a session: what has been looked at, and how it will be. */
#include "dp/services/session_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <search.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/services/list.h"

/*
 * --- services ------------------------------------------------------------------------------------
 */

static int service_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ivb_service_key));
}

/* A service that the session has not met yet. */
static int service_meet(struct ivb_session *session, const struct ivb_service_key *key,
			struct ivb_session_service **ret)
{
	_cleanup_free_ struct ivb_session_service *s = calloc(1, sizeof(*s));
	struct ivb_session_service **list;

	if (!s)
		return -ENOMEM;
	if (!(session->num_services & (session->num_services + 1))) {
		list = reallocarray(session->service_list, 2 * (session->num_services + 1),
				    sizeof(struct ivb_session_service *));
		if (!list)
			return -ENOMEM;
		session->service_list = list;
	}
	s->key = *key;
	if (!tsearch(s, &session->services, service_cmp))
		return -ENOMEM;
	session->service_list[session->num_services++] = s;
	*ret = TAKE_PTR(s);
	return 0;
}

static int service_met(struct ivb_session *session, const struct ivb_service_key *key,
		       const struct ivb_service *svc, struct ivb_session_service **ret)
{
	int r = service_meet(session, key, ret);

	if (!r) {
		(*ret)->svc = *svc;
		(*ret)->exists = true;
		(*ret)->wanted = true;
	}
	return r;
}

/* *ret may be one that will not be there; -ESRCH: nor is there one. */
static int service_lookup(struct ivb_session *session, const struct ivb_service_key *key,
			  struct ivb_session_service **ret, struct ivb_err *err)
{
	struct ivb_session_service **node = tfind(key, &session->services, service_cmp);
	struct ivb_service svc;

	if (node) {
		*ret = *node;
		return 0;
	}
	if (session->all_services)
		return -ESRCH;
	if (bpf_map_lookup_elem(session->dp->fds[IVB_MAP_SERVICES], key, &svc)) {
		if (errno == ENOENT)
			return -ESRCH;
		return ivb_err(err, -errno, "cannot read the services: %m");
	}
	return service_met(session, key, &svc, ret);
}

int ivb_session_service(struct ivb_session *session, const struct ivb_service_key *key,
			struct ivb_session_service **ret, struct ivb_err *err)
{
	struct ivb_session_service *s;
	int r = service_lookup(session, key, &s, err);

	if (r == -ESRCH || (!r && !s->wanted))
		return ivb_err(err, -ESRCH, "there is no such service");
	if (!r)
		*ret = s;
	return r;
}

int ivb_session_services_all(struct ivb_session *session, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_service_info *all = NULL;
	struct ivb_session_service *s;
	size_t n, i;
	int r;

	if (session->all_services)
		return 0;
	r = ivb_list_services(session->dp, &all, &n, err);
	for (i = 0; !r && i < n; i++) {
		if (!tfind(&all[i].key, &session->services, service_cmp))
			r = service_met(session, &all[i].key, &all[i].svc, &s);
	}
	session->all_services = !r;
	return r;
}

static int slots_read(struct ivb_session *session, struct ivb_err *err)
{
	__u32 max = session->dp->meta.max_services;
	size_t i;
	int r;

	r = ivb_session_services_all(session, err);
	if (r)
		return r;
	session->service_used = calloc(max, sizeof(*session->service_used));
	if (!session->service_used)
		return -ENOMEM;
	for (i = 0; i < session->num_services; i++) {
		const struct ivb_session_service *s = session->service_list[i];

		if (s->exists && s->svc.slot < max)
			session->service_used[s->svc.slot] = true;
	}
	return 0;
}

/* Slots of services that the session removes stay taken until it is over. */
static int slot_claim(struct ivb_session *session, __u32 *ret, struct ivb_err *err)
{
	__u32 max = session->dp->meta.max_services;
	int r = session->service_used ? 0 : slots_read(session, err);

	if (r)
		return r;
	while (session->next_service < max && session->service_used[session->next_service])
		session->next_service++;
	if (session->next_service == max)
		return ivb_err(err, -ENOSPC, "there are %u services already, which is the limit",
			       max);
	*ret = session->next_service++;
	return 0;
}

int ivb_session_service_new(struct ivb_session *session, const struct ivb_service_key *key,
			    struct ivb_session_service **ret, struct ivb_err *err)
{
	struct ivb_session_service *s;
	__u32 slot = 0;
	int r = service_lookup(session, key, &s, err);

	if (!r && s->wanted)
		return ivb_err(err, -EEXIST, "there is such a service already");
	if (r == -ESRCH) {
		r = slot_claim(session, &slot, err);
		if (!r)
			r = service_meet(session, key, &s);
		if (!r)
			s->svc = (struct ivb_service){ .slot = slot, .sched = slot * 2 };
	}
	if (r)
		return r;
	/* one that this session has removed comes back in its old place */
	s->list.num = 0;
	s->loaded = true;
	s->wanted = true;
	s->rewrite = true;
	s->tag = session->tag;
	*ret = s;
	return 0;
}

static int list_grow(struct ivb_session_list *list)
{
	size_t room = list->room ? list->room * 2 : 16;
	struct ivb_sched_dest *dests;

	if (list->num < list->room)
		return 0;
	dests = reallocarray(list->dests, room, sizeof(*dests));
	if (!dests)
		return -ENOMEM;
	list->dests = dests;
	list->room = room;
	return 0;
}

int ivb_session_service_list_insert(struct ivb_session_list *list, const struct ivb_sched_dest *d)
{
	int r = list_grow(list);

	if (r)
		return r;
	memmove(list->dests + 1, list->dests, list->num * sizeof(*list->dests));
	list->dests[0] = *d;
	list->num++;
	return 0;
}

/*
 * --- a service's dests, and where its scheduler stands -------------------------------------------
 */

struct ring_window {
	const struct ivb_dp *dp;
	int error;
};

static __u32 ring_word(const void *arg, __u32 index)
{
	struct ring_window *w = (void *)arg;
	__u32 word = IVB_NONE;

	if (bpf_map_lookup_elem(w->dp->fds[IVB_MAP_RING], &index, &word) && errno != ENOENT)
		w->error = -errno;
	return word;
}

static int cursor_load(struct ivb_session *session, struct ivb_session_service *s,
		       struct ivb_err *err)
{
	struct ring_window w = { .dp = session->dp };
	struct ivb_sched sched = {};

	if (bpf_map_lookup_elem(session->dp->fds[IVB_MAP_SCHEDS], &s->svc.sched, &sched) &&
	    errno != ENOENT)
		return ivb_err(err, -errno, "cannot read the scheduler's table: %m");
	if (ivb_sched_cursor_read(&s->cursor, s->svc.scheduler, &sched, ring_word, &w))
		ivb_sched_cursor_init(&s->cursor, s->svc.scheduler, s->list.dests, s->list.num);
	return w.error ? ivb_err(err, w.error, "cannot read the scheduler's table") : 0;
}

int ivb_session_service_load(struct ivb_session *session, struct ivb_session_service *s,
			     struct ivb_err *err)
{
	__u32 max = session->dp->meta.max_dests, slot, n = 0;
	struct ivb_session_dest *d;
	int r;

	if (s->loaded)
		return 0;
	for (slot = s->svc.first_dest; slot < max && n < max; slot = d->dest.next, n++) {
		r = ivb_session_dest(session, slot, &d, err);
		if (!r)
			r = list_grow(&s->list);
		if (r)
			return r;
		s->list.dests[s->list.num++] = ivb_session_dest_sched(d);
	}
	s->loaded = true;
	return cursor_load(session, s, err);
}

int ivb_session_service_change(struct ivb_session *session, const struct ivb_service_key *key,
			       struct ivb_session_service **ret, struct ivb_err *err)
{
	struct ivb_session_service *s;
	int r = ivb_session_service(session, key, &s, err);

	if (!r)
		r = ivb_session_service_load(session, s, err);
	if (r)
		return r;
	s->tag = session->tag;
	*ret = s;
	return 0;
}
