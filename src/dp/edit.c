/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading the configuration maps and committing a service. A service's two slices of ring take turns:
 * the one that packets read is never written.
 */
#include "dp/edit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance.h"
#include "model/slices.h"

/* An array's values lie 8 bytes apart at least, also when they are words. */
#define VALUE_STRIDE(size) (((size) + 7) & ~(size_t)7)

static size_t map_bytes(size_t value_size, __u32 entries)
{
	return VALUE_STRIDE(value_size) * entries;
}

static int map_mmap(void *ret, const struct ivb_dp *dp, enum ivb_map map, size_t bytes, int prot,
		    const char *name, struct ivb_err *err)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, dp->fds[map], 0);

	if (p == MAP_FAILED)
		return ivb_err(err, -errno, "cannot map %s/%s into memory: %s", dp->path, name,
			       strerror(errno));
	*(void **)ret = p;
	return 0;
}

/* Maps that programs may only read cannot be mapped for writing (bpf_map_mmap()). */
static int maps_mmap(struct ivb_edit *c, struct ivb_err *err)
{
	const struct ivb_meta *m = &c->dp->meta;
	int r;

	r = map_mmap(&c->dests, c->dp, IVB_MAP_DESTS, map_bytes(sizeof(*c->dests), m->max_dests),
		     PROT_READ, "dests", err);
	if (!r)
		r = map_mmap(&c->dest_conns, c->dp, IVB_MAP_DEST_CONNS,
			     map_bytes(sizeof(*c->dest_conns), m->max_dests),
			     PROT_READ | PROT_WRITE, "dest_conns", err);
	if (!r)
		r = map_mmap(&c->scheds, c->dp, IVB_MAP_SCHEDS,
			     map_bytes(sizeof(*c->scheds), m->max_services * 2),
			     PROT_READ | PROT_WRITE, "scheds", err);
	if (!r)
		r = map_mmap(&c->ring, c->dp, IVB_MAP_RING, map_bytes(sizeof(__u32), m->max_ring),
			     PROT_READ, "ring", err);
	return r;
}

void ivb_edit_closep(struct ivb_edit **edit)
{
	struct ivb_edit *c = *edit;
	const struct ivb_meta *m;

	if (!c)
		return;
	m = &c->dp->meta;
	if (c->dests)
		munmap((void *)c->dests, map_bytes(sizeof(*c->dests), m->max_dests));
	if (c->dest_conns)
		munmap(c->dest_conns, map_bytes(sizeof(*c->dest_conns), m->max_dests));
	if (c->scheds)
		munmap(c->scheds, map_bytes(sizeof(*c->scheds), m->max_services * 2));
	if (c->ring)
		munmap((void *)c->ring, map_bytes(sizeof(__u32), m->max_ring));
	free(c->services);
	free(c->slot_used);
	free(c->dest_listed);
	free(c);
}

int ivb_edit_dest(const struct ivb_edit *edit, __u32 slot, const struct ivb_dest *d,
		  struct ivb_err *err)
{
	if (bpf_map_update_elem(edit->dp->fds[IVB_MAP_DESTS], &slot, d, BPF_ANY))
		return ivb_err(err, -errno, "cannot write server %u: %s", slot, strerror(errno));
	return 0;
}

int ivb_edit_dest_state(const struct ivb_edit *edit, __u32 slot, __u32 state, struct ivb_err *err)
{
	struct ivb_dest d = edit->dests[slot];

	d.state = state;
	return ivb_edit_dest(edit, slot, &d, err);
}

/* Marks one service's dests. A list that runs into itself or another one is cut there. */
static int list_mark(struct ivb_edit *c, struct ivb_service *s, struct ivb_err *err)
{
	__u32 max = c->dp->meta.max_dests, d = s->first_dest, last = IVB_NONE;
	struct ivb_dest cut;

	for (; d < max && !c->dest_listed[d]; last = d, d = c->dests[d].next)
		c->dest_listed[d] = true;
	if (d == IVB_NONE)
		return 0;
	if (last == IVB_NONE) {
		s->first_dest = IVB_NONE;
		return 0;
	}
	cut = c->dests[last];
	cut.next = IVB_NONE;
	return ivb_edit_dest(c, last, &cut, err);
}

static int mark_used(struct ivb_edit *c, struct ivb_err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < c->num_services; i++) {
		struct ivb_service *s = &c->services[i].svc;

		if (s->slot < c->dp->meta.max_services)
			c->slot_used[s->slot] = true;
		r = list_mark(c, s, err);
	}
	return r;
}

/* What belongs to no service any more, because a command was killed after its commit or before it. */
static int release_unused(struct ivb_edit *c, struct ivb_err *err)
{
	const struct ivb_meta *m = &c->dp->meta;
	int r = 0;
	__u32 i;

	for (i = 0; !r && i < m->max_dests; i++) {
		if (c->dests[i].state == IVB_DEST_AVAILABLE && !c->dest_listed[i])
			r = ivb_edit_dest_state(c, i, IVB_DEST_REMOVED, err);
	}
	for (i = 0; i < m->max_services * 2; i++) {
		if (!c->slot_used[i / 2] && c->scheds[i].capacity)
			c->scheds[i].capacity = 0;
	}
	return r;
}

int ivb_edit_service(struct ivb_edit *edit, const struct ivb_service_key *key,
		     struct ivb_service_info **ret, struct ivb_err *err)
{
	size_t i;

	for (i = 0; i < edit->num_services; i++) {
		if (!memcmp(&edit->services[i].key, key, sizeof(*key))) {
			*ret = &edit->services[i];
			return 0;
		}
	}
	return ivb_err(err, -ESRCH, "there is no such service");
}

struct ivb_sched_dest ivb_edit_sched_dest(const struct ivb_edit *edit, __u32 slot)
{
	const struct ivb_dest *d = &edit->dests[slot];

	return (struct ivb_sched_dest){
		.slot = slot,
		.weight = d->weight,
		.last_weight = d->last_weight,
		.value = ivb_sched_value(d->af, &d->addr, d->port),
	};
}

int ivb_edit_list(const struct ivb_edit *edit, const struct ivb_service *svc,
		  struct ivb_edit_list *ret)
{
	__u32 max = edit->dp->meta.max_dests, d;
	struct ivb_edit_list list = {};

	for (d = svc->first_dest; d < max && list.num < max; d = edit->dests[d].next)
		list.num++;
	list.dests = calloc(list.num + 1, sizeof(*list.dests));
	if (!list.dests)
		return -ENOMEM;
	list.num = 0;
	for (d = svc->first_dest; d < max && list.num < max; d = edit->dests[d].next)
		list.dests[list.num++] = ivb_edit_sched_dest(edit, d);
	*ret = list;
	return 0;
}

void ivb_edit_list_fini(struct ivb_edit_list *list)
{
	free(list->dests);
}

static __u32 ring_word(const void *arg, __u32 index)
{
	const struct ivb_edit *c = arg;

	return index < c->dp->meta.max_ring ? (__u32)c->ring[index] : IVB_NONE;
}

void ivb_edit_cursor(const struct ivb_edit *edit, const struct ivb_service *svc,
		     const struct ivb_edit_list *list, struct ivb_cursor *ret)
{
	struct ivb_sched s = {};

	if (svc->sched < edit->dp->meta.max_services * 2)
		s = edit->scheds[svc->sched];
	if (ivb_cursor_read(ret, svc->scheduler, &s, ring_word, edit))
		ivb_cursor_init(ret, svc->scheduler, list->dests, list->num);
}

/* All slices but skip's. */
static int slices_taken(const struct ivb_edit *c, __u32 skip, struct ivb_slice **ret, size_t *ret_n)
{
	__u32 max = c->dp->meta.max_services * 2, i;
	struct ivb_slice *taken = calloc(max, sizeof(*taken));
	size_t n = 0;

	if (!taken)
		return -ENOMEM;
	for (i = 0; i < max; i++) {
		if (i != skip && c->scheds[i].capacity)
			taken[n++] =
				(struct ivb_slice){ c->scheds[i].first, c->scheds[i].capacity };
	}
	*ret = taken;
	*ret_n = n;
	return 0;
}

/* A slice for the table of scheds[index], which packets do not read now. */
static int slice_get(const struct ivb_edit *c, __u32 index, __u32 words, struct ivb_slice *ret,
		     struct ivb_err *err)
{
	const struct ivb_sched *s = &c->scheds[index];
	struct ivb_slice own = { s->first, s->capacity };
	_cleanup_free_ struct ivb_slice *taken = NULL;
	size_t n;
	int r;

	if (!words) {
		*ret = (struct ivb_slice){};
		return 0;
	}
	if (ivb_slice_suits(&own, words)) {
		*ret = own;
		return 0;
	}
	r = slices_taken(c, index, &taken, &n);
	if (r)
		return r;
	r = ivb_slice_find(ret, taken, n, c->dp->meta.max_ring, words, own.first + own.capacity);
	if (r)
		return ivb_err(err, r,
			       "no room for the scheduler's table of %u words (%u in all): use "
			       "fewer distinct weights, or fewer services that hash",
			       words, c->dp->meta.max_ring);
	return 0;
}

static int ring_write(const struct ivb_edit *c, const struct ivb_table *t, __u32 first,
		      struct ivb_err *err)
{
	_cleanup_free_ __u32 *keys = calloc(t->num_words ? t->num_words : 1, sizeof(*keys));
	__u32 count = t->num_words, i;

	if (!keys)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		keys[i] = first + i;
	if (count && bpf_map_update_batch(c->dp->fds[IVB_MAP_RING], keys, t->words, &count, NULL))
		return ivb_err(err, -errno, "cannot write the scheduler's table: %s",
			       strerror(errno));
	return 0;
}

static int table_write(const struct ivb_edit *c, __u32 index, struct ivb_table *t,
		       const struct ivb_slice *slice, struct ivb_err *err)
{
	int r;

	if (t->num_segments)
		ivb_table_place(t, slice->first);
	r = ring_write(c, t, slice->first, err);
	if (r)
		return r;
	c->scheds[index] = (struct ivb_sched){
		.position = t->position,
		.length = t->length,
		.num_segments = t->num_segments,
		.first = slice->first,
		.capacity = slice->capacity,
		.cw = t->state,
		.written_at = t->position,
	};
	return 0;
}

int ivb_edit_commit(struct ivb_edit *edit, const struct ivb_service_key *key,
		    struct ivb_service *svc, const struct ivb_edit_list *list,
		    const struct ivb_cursor *cursor, struct ivb_err *err)
{
	__u32 index = svc->slot * 2 + !(svc->sched & 1);
	struct ivb_slice slice;
	struct ivb_table t;
	int r;

	if (svc->slot >= edit->dp->meta.max_services)
		return ivb_err(err, -EUCLEAN,
			       "the service's slot %u is out of range: the maps are "
			       "damaged, run `ipvs-bpf down` and `up`",
			       svc->slot);
	r = ivb_table_build(&t, svc->scheduler, list->dests, list->num, cursor, err);
	if (r)
		return r;
	r = slice_get(edit, index, t.num_words, &slice, err);
	if (!r)
		r = table_write(edit, index, &t, &slice, err);
	ivb_table_fini(&t);
	if (r)
		return r;
	svc->sched = index;
	svc->first_dest = list->num ? list->dests[0].slot : IVB_NONE;
	svc->num_dests = (__u32)list->num;
	/* The system call orders it after the table. */
	if (bpf_map_update_elem(edit->dp->fds[IVB_MAP_SERVICES], key, svc, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the service: %s", strerror(errno));
	return 0;
}

/* A removal that was killed between its commit and the list: the server is taken back. */
static int counts_repair(struct ivb_edit *edit, struct ivb_err *err)
{
	struct ivb_edit_list list;
	struct ivb_cursor cursor;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < edit->num_services; i++) {
		struct ivb_service_info *info = &edit->services[i];

		r = ivb_edit_list(edit, &info->svc, &list);
		if (r)
			return r;
		if (list.num != info->svc.num_dests) {
			ivb_edit_cursor(edit, &info->svc, &list, &cursor);
			ivb_cursor_changed(&cursor, info->svc.scheduler, list.dests, list.num);
			r = ivb_edit_commit(edit, &info->key, &info->svc, &list, &cursor, err);
		}
		ivb_edit_list_fini(&list);
	}
	return r;
}

int ivb_edit_open(struct ivb_edit **ret, struct ivb_dp *dp, struct ivb_err *err)
{
	__cleanup(ivb_edit_closep) struct ivb_edit *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->dp = dp;
	c->slot_used = calloc(dp->meta.max_services, sizeof(*c->slot_used));
	c->dest_listed = calloc(dp->meta.max_dests, sizeof(*c->dest_listed));
	if (!c->slot_used || !c->dest_listed)
		return -ENOMEM;
	r = maps_mmap(c, err);
	if (r)
		return r;
	r = ivb_services_list(dp, &c->services, &c->num_services, err);
	if (r)
		return r;
	r = mark_used(c, err);
	if (!r)
		r = release_unused(c, err);
	if (!r)
		r = counts_repair(c, err);
	if (!r)
		*ret = TAKE_PTR(c);
	return r;
}
