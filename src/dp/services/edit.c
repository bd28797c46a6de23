/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session of changes: what has been looked at, and how it will be. */
#include "dp/services/edit_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <search.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/services/list.h"
#include "dp/services/services.h"

/*
 * --- services ------------------------------------------------------------------------------------
 */

static int service_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ivb_service_key));
}

/* A service that the session has not met yet. */
static int service_meet(struct ivb_edit *edit, const struct ivb_service_key *key,
			struct ivb_edit_service **ret)
{
	_cleanup_free_ struct ivb_edit_service *s = calloc(1, sizeof(*s));
	struct ivb_edit_service **list;

	if (!s)
		return -ENOMEM;
	if (!(edit->num_services & (edit->num_services + 1))) {
		list = reallocarray(edit->service_list, 2 * (edit->num_services + 1),
				    sizeof(struct ivb_edit_service *));
		if (!list)
			return -ENOMEM;
		edit->service_list = list;
	}
	s->key = *key;
	if (!tsearch(s, &edit->services, service_cmp))
		return -ENOMEM;
	edit->service_list[edit->num_services++] = s;
	*ret = TAKE_PTR(s);
	return 0;
}

static int service_met(struct ivb_edit *edit, const struct ivb_service_key *key,
		       const struct ivb_service *svc, struct ivb_edit_service **ret)
{
	int r = service_meet(edit, key, ret);

	if (!r) {
		(*ret)->svc = *svc;
		(*ret)->exists = true;
		(*ret)->wanted = true;
	}
	return r;
}

/* *ret may be one that will not be there; -ESRCH: nor is there one. */
static int service_lookup(struct ivb_edit *edit, const struct ivb_service_key *key,
			  struct ivb_edit_service **ret, struct ivb_err *err)
{
	struct ivb_edit_service **node = tfind(key, &edit->services, service_cmp);
	struct ivb_service svc;

	if (node) {
		*ret = *node;
		return 0;
	}
	if (edit->all_services)
		return -ESRCH;
	if (bpf_map_lookup_elem(edit->dp->fds[IVB_MAP_SERVICES], key, &svc)) {
		if (errno == ENOENT)
			return -ESRCH;
		return ivb_err(err, -errno, "cannot read the services: %m");
	}
	return service_met(edit, key, &svc, ret);
}

int ivb_edit_service(struct ivb_edit *edit, const struct ivb_service_key *key,
		     struct ivb_edit_service **ret, struct ivb_err *err)
{
	struct ivb_edit_service *s;
	int r = service_lookup(edit, key, &s, err);

	if (r == -ESRCH || (!r && !s->wanted))
		return ivb_err(err, -ESRCH, "there is no such service");
	if (!r)
		*ret = s;
	return r;
}

int ivb_edit_all_services(struct ivb_edit *edit, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_service_info *all = NULL;
	struct ivb_edit_service *s;
	size_t n, i;
	int r;

	if (edit->all_services)
		return 0;
	r = ivb_services_list(edit->dp, &all, &n, err);
	for (i = 0; !r && i < n; i++) {
		if (!tfind(&all[i].key, &edit->services, service_cmp))
			r = service_met(edit, &all[i].key, &all[i].svc, &s);
	}
	edit->all_services = !r;
	return r;
}

static int slots_read(struct ivb_edit *edit, struct ivb_err *err)
{
	__u32 max = edit->dp->meta.max_services;
	size_t i;
	int r;

	r = ivb_edit_all_services(edit, err);
	if (r)
		return r;
	edit->service_used = calloc(max, sizeof(*edit->service_used));
	if (!edit->service_used)
		return -ENOMEM;
	for (i = 0; i < edit->num_services; i++) {
		const struct ivb_edit_service *s = edit->service_list[i];

		if (s->exists && s->svc.slot < max)
			edit->service_used[s->svc.slot] = true;
	}
	return 0;
}

/* Slots of services that the session removes stay taken until it is over. */
static int slot_take(struct ivb_edit *edit, __u32 *ret, struct ivb_err *err)
{
	__u32 max = edit->dp->meta.max_services;
	int r = edit->service_used ? 0 : slots_read(edit, err);

	if (r)
		return r;
	while (edit->next_service < max && edit->service_used[edit->next_service])
		edit->next_service++;
	if (edit->next_service == max)
		return ivb_err(err, -ENOSPC, "there are %u services already, which is the limit",
			       max);
	*ret = edit->next_service++;
	return 0;
}

int ivb_edit_service_new(struct ivb_edit *edit, const struct ivb_service_key *key,
			 struct ivb_edit_service **ret, struct ivb_err *err)
{
	struct ivb_edit_service *s;
	__u32 slot = 0;
	int r = service_lookup(edit, key, &s, err);

	if (!r && s->wanted)
		return ivb_err(err, -EEXIST, "there is such a service already");
	if (r == -ESRCH) {
		r = slot_take(edit, &slot, err);
		if (!r)
			r = service_meet(edit, key, &s);
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
	s->tag = edit->tag;
	*ret = s;
	return 0;
}

static int list_grow(struct ivb_edit_list *list)
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

int ivb_edit_list_insert(struct ivb_edit_list *list, const struct ivb_sched_dest *d)
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

static int cursor_load(struct ivb_edit *edit, struct ivb_edit_service *s, struct ivb_err *err)
{
	struct ring_window w = { .dp = edit->dp };
	struct ivb_sched sched = {};

	if (bpf_map_lookup_elem(edit->dp->fds[IVB_MAP_SCHEDS], &s->svc.sched, &sched) &&
	    errno != ENOENT)
		return ivb_err(err, -errno, "cannot read the scheduler's table: %m");
	if (ivb_cursor_read(&s->cursor, s->svc.scheduler, &sched, ring_word, &w))
		ivb_cursor_init(&s->cursor, s->svc.scheduler, s->list.dests, s->list.num);
	return w.error ? ivb_err(err, w.error, "cannot read the scheduler's table") : 0;
}

struct ivb_sched_dest ivb_edit_sched_dest(const struct ivb_edit_dest *d)
{
	return (struct ivb_sched_dest){
		.slot = d->slot,
		.weight = d->dest.weight,
		.last_weight = d->dest.last_weight,
		.value = ivb_sched_value(d->dest.af, &d->dest.addr, d->dest.port),
	};
}

int ivb_edit_service_load(struct ivb_edit *edit, struct ivb_edit_service *s, struct ivb_err *err)
{
	__u32 max = edit->dp->meta.max_dests, slot, n = 0;
	struct ivb_edit_dest *d;
	int r;

	if (s->loaded)
		return 0;
	for (slot = s->svc.first_dest; slot < max && n < max; slot = d->dest.next, n++) {
		r = ivb_edit_dest(edit, slot, &d, err);
		if (!r)
			r = list_grow(&s->list);
		if (r)
			return r;
		s->list.dests[s->list.num++] = ivb_edit_sched_dest(d);
	}
	s->loaded = true;
	return cursor_load(edit, s, err);
}

int ivb_edit_service_change(struct ivb_edit *edit, const struct ivb_service_key *key,
			    struct ivb_edit_service **ret, struct ivb_err *err)
{
	struct ivb_edit_service *s;
	int r = ivb_edit_service(edit, key, &s, err);

	if (!r)
		r = ivb_edit_service_load(edit, s, err);
	if (r)
		return r;
	s->tag = edit->tag;
	*ret = s;
	return 0;
}

/*
 * --- the session ---------------------------------------------------------------------------------
 */

static void leave(void *p)
{
	(void)p;
}

void ivb_edit_closep(struct ivb_edit **p)
{
	struct ivb_edit *edit = *p;
	size_t i;

	if (!edit)
		return;
	tdestroy(edit->services, leave);
	for (i = 0; i < edit->num_services; i++) {
		free(edit->service_list[i]->list.dests);
		ivb_table_fini(&edit->service_list[i]->table);
		free(edit->service_list[i]);
	}
	free(edit->service_list);
	free(edit->service_used);
	for (i = 0; i < edit->num_dests; i++)
		free(edit->dests[edit->dest_list[i]]);
	free(edit->dest_list);
	free(edit->dests);
	ivb_edit_search_free(edit->search);
	tdestroy(edit->routes, free);
	free(edit);
}

void ivb_edit_tag(struct ivb_edit *edit, __u32 tag)
{
	edit->tag = tag;
}

__u32 ivb_edit_failed(const struct ivb_edit *edit)
{
	return edit->failed_tag;
}
