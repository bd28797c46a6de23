/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing what a session has planned. First all tables are built and given room, which may fail;
 * then they are written where no packet reads them; then each service is replaced by one update. A
 * service's two slices of ring take turns: the one that packets read is never written.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/load/load_int.h"
#include "dp/services/session_int.h"
#include "dp/services/list.h"
#include "dp/services/services.h"

#define BATCH 16384u

struct apply {
	struct ivb_session *session;
	const struct ivb_sched *scheds; /* the map; NULL: all tables went where they were before */
	struct ivb_slice *taken;	/* slices of all tables, in order */
	size_t num_taken;
	__u32 hint; /* the search for room goes on here */
};

static void apply_fini(struct apply *a)
{
	ivb_map_munmap(a->scheds, sizeof(*a->scheds), a->session->dp->meta.max_services * 2);
	free(a->taken);
}

/* The entry of scheds that packets do not read now. */
static __u32 next_sched(const struct ivb_session_service *s)
{
	return s->svc.slot * 2 + (s->exists ? !(s->svc.sched & 1) : 0);
}

/*
 * --- room for tables -----------------------------------------------------------------------------
 */

/* All slices but those that packets do not read any more because this session writes them anew. */
static int slices_read(struct apply *a, struct ivb_err *err)
{
	struct ivb_session *session = a->session;
	__u32 max = session->dp->meta.max_services * 2, i;
	_cleanup_free_ bool *skip = calloc(max, sizeof(*skip));
	size_t n;

	a->scheds = ivb_map_mmap(session->dp, IVB_MAP_SCHEDS, sizeof(*a->scheds), max, err);
	if (!a->scheds)
		return -errno;
	a->taken = calloc(max + session->num_services, sizeof(*a->taken));
	if (!a->taken || !skip)
		return -ENOMEM;
	for (n = 0; n < session->num_services; n++) {
		const struct ivb_session_service *s = session->service_list[n];

		if (s->wanted && s->rewrite)
			skip[next_sched(s)] = true;
		if (s->slice.capacity) /* this session's, and found already */
			a->taken[a->num_taken++] = s->slice;
	}
	for (i = 0; i < max; i++) {
		if (!skip[i] && a->scheds[i].capacity)
			a->taken[a->num_taken++] =
				(struct ivb_slice){ a->scheds[i].first, a->scheds[i].capacity };
	}
	ivb_slice_sort(a->taken, a->num_taken);
	return 0;
}

static int slice_get(struct apply *a, struct ivb_session_service *s, struct ivb_err *err)
{
	const struct ivb_dp *dp = a->session->dp;
	__u32 words = s->table.num_words, index = next_sched(s);
	struct ivb_sched old = {};
	int r;

	if (!words)
		return 0;
	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_SCHEDS], &index, &old))
		return ivb_err(err, -errno, "cannot read the scheduler's table: %m");
	s->slice = (struct ivb_slice){ old.first, old.capacity };
	/* Once others have been given room, its old place may be theirs. */
	if (!a->scheds && ivb_slice_suits(&s->slice, words))
		return 0;
	s->slice.capacity = 0;
	r = a->scheds ? 0 : slices_read(a, err);
	if (r)
		return r;
	r = ivb_slice_find(&s->slice, a->taken, a->num_taken, dp->meta.max_ring, words,
			   a->hint ? a->hint : old.first + old.capacity);
	if (r)
		return ivb_err(err, r,
			       "no room for the scheduler's table of %u words (%u in all): use "
			       "fewer distinct weights, or fewer services that hash",
			       words, dp->meta.max_ring);
	ivb_slice_insert(a->taken, &a->num_taken, &s->slice);
	a->hint = s->slice.first + s->slice.capacity;
	return 0;
}

/*
 * --- before anything is written ------------------------------------------------------------------
 */

/* The list as dests are linked, the newest first. */
static int list_link(struct ivb_session *session, const struct ivb_session_service *s,
		     struct ivb_err *err)
{
	struct ivb_session_dest *d;
	__u32 next;
	size_t i;
	int r;

	for (i = 0; i < s->list.num; i++) {
		next = i + 1 < s->list.num ? s->list.dests[i + 1].slot : IVB_NONE;
		r = ivb_session_dest(session, s->list.dests[i].slot, &d, err);
		if (r)
			return r;
		if (d->dest.next != next || d->dest.service != s->svc.slot)
			d->changed = true;
		d->dest.next = next;
		d->dest.service = s->svc.slot;
	}
	return 0;
}

static int service_prepare(struct apply *a, struct ivb_session_service *s, struct ivb_err *err)
{
	int r;

	if (!s->wanted || !s->rewrite)
		return 0;
	r = ivb_sched_table_build(&s->table, s->svc.scheduler, s->list.dests, s->list.num,
				  &s->cursor, err);
	if (!r)
		r = slice_get(a, s, err);
	if (!r)
		r = list_link(a->session, s, err);
	if (!r && s->key.af == AF_INET6)
		a->session->enable_v6 = true;
	return r;
}

static int prepare(struct apply *a, struct ivb_err *err)
{
	struct ivb_session *session = a->session;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < session->num_services; i++) {
		r = service_prepare(a, session->service_list[i], err);
		if (r)
			session->failed_tag = session->service_list[i]->tag;
	}
	if (!r && session->enable_v6)
		r = ivb_load_v6(session->dp, err);
	return r;
}

/*
 * --- writing -------------------------------------------------------------------------------------
 */

static int editing_set(const struct ivb_session *session, __u32 editing, struct ivb_err *err)
{
	struct ivb_meta *meta = &session->dp->meta;
	__u32 zero = 0;

	meta->editing = editing;
	if (bpf_map_update_elem(session->dp->fds[IVB_MAP_META], &zero, meta, BPF_ANY))
		return ivb_err(err, -errno, "cannot write meta: %m");
	return 0;
}

static int table_write(const struct ivb_session *session, struct ivb_session_service *s,
		       struct ivb_err *err)
{
	__u32 count = s->table.num_words, index = next_sched(s), i;
	_cleanup_free_ __u32 *keys = calloc(count ? count : 1, sizeof(*keys));
	const struct ivb_service_state state = {};
	struct ivb_sched sched = {
		.position = s->table.position,
		.length = s->table.length,
		.num_segments = s->table.num_segments,
		.first = s->slice.first,
		.capacity = s->slice.capacity,
		.cw = s->table.state,
		.written_at = s->table.written_at,
	};

	if (!keys)
		return -ENOMEM;
	if (s->table.num_segments)
		ivb_sched_table_place(&s->table, s->slice.first);
	for (i = 0; i < count; i++)
		keys[i] = s->slice.first + i;
	if (count && bpf_map_update_batch(session->dp->fds[IVB_MAP_RING], keys, s->table.words,
					  &count, NULL))
		return ivb_err(err, -errno, "cannot write the scheduler's table: %m");
	if (bpf_map_update_elem(session->dp->fds[IVB_MAP_SCHEDS], &index, &sched, BPF_ANY))
		return ivb_err(err, -errno, "cannot write to scheds: %m");
	if (!s->exists && bpf_map_update_elem(session->dp->fds[IVB_MAP_SERVICE_STATE], &s->svc.slot,
					      &state, BPF_ANY))
		return ivb_err(err, -errno, "cannot write to service_state: %m");
	s->svc.sched = index;
	s->svc.first_dest = s->list.num ? s->list.dests[0].slot : IVB_NONE;
	s->svc.num_dests = (__u32)s->list.num;
	return 0;
}

/* Dests that are (or are not) to be available; or the counters of new ones. */
struct dest_batch {
	__u32 *keys;
	char *values;
	__u32 n;
};

static void dest_batch_fini(struct dest_batch *b)
{
	free(b->keys);
	free(b->values);
}

static int dest_batch_flush(struct dest_batch *b, int fd, struct ivb_err *err)
{
	__u32 count = b->n;

	if (count && bpf_map_update_batch(fd, b->keys, b->values, &count, NULL))
		return ivb_err(err, -errno, "cannot write the servers: %m");
	b->n = 0;
	return 0;
}

static int dests_write(const struct ivb_session *session, enum ivb_map map, size_t size,
		       const void *(*value)(const struct ivb_session_dest *d), struct ivb_err *err)
{
	__u32 room = session->num_dests < BATCH ? (__u32)session->num_dests : BATCH;
	struct dest_batch b __cleanup(dest_batch_fini) = {};
	const void *v;
	size_t i;
	int r = 0;

	b.keys = calloc(room + 1, sizeof(*b.keys));
	b.values = calloc(room + 1, size);
	if (!b.keys || !b.values)
		return -ENOMEM;
	for (i = 0; !r && i < session->num_dests; i++) {
		v = value(session->dests[session->dest_list[i]]);
		if (!v)
			continue;
		b.keys[b.n] = session->dest_list[i];
		memcpy(b.values + b.n++ * size, v, size);
		if (b.n == room)
			r = dest_batch_flush(&b, session->dp->fds[map], err);
	}
	return r ? r : dest_batch_flush(&b, session->dp->fds[map], err);
}

static const void *zero_counters(const struct ivb_session_dest *d)
{
	static const struct ivb_dest_conns none;

	return d->fresh ? &none : NULL;
}

static const void *zero_base(const struct ivb_session_dest *d)
{
	static const struct ivb_traffic none;

	return d->fresh ? &none : NULL;
}

static const void *available_dest(const struct ivb_session_dest *d)
{
	return d->changed && d->dest.state == IVB_DEST_AVAILABLE ? &d->dest : NULL;
}

static const void *removed_dest(const struct ivb_session_dest *d)
{
	return d->changed && d->dest.state == IVB_DEST_REMOVED ? &d->dest : NULL;
}

/*
 * The limits may be others now (__ip_vs_dest_update_overload()). Packets do the same as connections
 * begin and end, so only that word is written, in place.
 */
static int limit_write(const struct ivb_session *session, const struct ivb_session_dest *d,
		       struct ivb_err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE),
	       at = (size_t)d->slot * sizeof(struct ivb_dest_conns);
	__u32 upper = d->dest.upper, lower = d->dest.lower ? d->dest.lower : upper - upper / 4, all;
	struct ivb_dest_conns c;
	char *p;

	if (bpf_map_lookup_elem(session->dp->fds[IVB_MAP_DEST_CONNS], &d->slot, &c))
		return ivb_err(err, -errno, "cannot read server %u: %m", d->slot);
	all = ivb_conns_count(c.active) + ivb_conns_count(c.inactive);
	if (upper && all >= upper ? c.overloaded : !c.overloaded || (upper && all >= lower))
		return 0;
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED,
		 session->dp->fds[IVB_MAP_DEST_CONNS], (off_t)(at & ~(page - 1)));
	if (p == MAP_FAILED)
		return ivb_err(err, -errno, "cannot write server %u: %m", d->slot);
	((struct ivb_dest_conns *)(void *)(p + (at & (page - 1))))->overloaded = !c.overloaded;
	munmap(p, page);
	return 0;
}

/* The last connections may have ended while it was about to be written: then nobody looks again. */
static int dest_limit_write(const struct ivb_session *session, const struct ivb_session_dest *d,
			    struct ivb_err *err)
{
	int r = limit_write(session, d, err);

	return r ? r : limit_write(session, d, err);
}

static int limits_write(const struct ivb_session *session, struct ivb_err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < session->num_dests; i++) {
		const struct ivb_session_dest *d = session->dests[session->dest_list[i]];

		if (d->changed && !d->fresh && d->dest.state == IVB_DEST_AVAILABLE)
			r = dest_limit_write(session, d, err);
	}
	return r;
}

/* This is the moment when packets see it. The system call orders it after the table. */
static int service_write(const struct ivb_session *session, struct ivb_session_service *s,
			 struct ivb_err *err)
{
	int fd = session->dp->fds[IVB_MAP_SERVICES];

	if (s->exists && !s->wanted) {
		if (bpf_map_delete_elem(fd, &s->key) && errno != ENOENT)
			return ivb_err(err, -errno, "cannot delete a service: %m");
	} else if (s->wanted && (s->rewrite || s->touched)) {
		if (bpf_map_update_elem(fd, &s->key, &s->svc, BPF_ANY))
			return ivb_err(err, -errno, "cannot write a service: %m");
	}
	return 0;
}

/* The slices of a service that is gone. */
static int slices_release(const struct ivb_session *session, const struct ivb_session_service *s,
			  struct ivb_err *err)
{
	const struct ivb_sched none = {};
	__u32 index, i;

	if (!s->exists || s->wanted || s->svc.slot >= session->dp->meta.max_services)
		return 0;
	for (i = 0; i < 2; i++) {
		index = s->svc.slot * 2 + i;
		if (bpf_map_update_elem(session->dp->fds[IVB_MAP_SCHEDS], &index, &none, BPF_ANY))
			return ivb_err(err, -errno, "cannot write to scheds: %m");
	}
	return 0;
}

static int write_all(const struct ivb_session *session, struct ivb_err *err)
{
	size_t n = session->num_services, i;
	int r = 0;

	for (i = 0; !r && i < n; i++) {
		if (session->service_list[i]->wanted && session->service_list[i]->rewrite)
			r = table_write(session, session->service_list[i], err);
	}
	if (!r)
		r = dests_write(session, IVB_MAP_DEST_CONNS, sizeof(struct ivb_dest_conns),
				zero_counters, err);
	if (!r)
		r = dests_write(session, IVB_MAP_DEST_BASES, sizeof(struct ivb_traffic), zero_base,
				err);
	if (!r)
		r = dests_write(session, IVB_MAP_DESTS, sizeof(struct ivb_dest), available_dest,
				err);
	if (!r)
		r = limits_write(session, err);
	for (i = 0; !r && i < n; i++)
		r = service_write(session, session->service_list[i], err);
	/* No connection is scheduled there any more; only now may its packets be refused. */
	if (!r)
		r = dests_write(session, IVB_MAP_DESTS, sizeof(struct ivb_dest), removed_dest, err);
	for (i = 0; !r && i < n; i++)
		r = slices_release(session, session->service_list[i], err);
	return r;
}

int ivb_session_apply(struct ivb_session *session, struct ivb_err *err)
{
	__cleanup(apply_fini) struct apply a = { .session = session };
	int r;

	r = prepare(&a, err);
	if (!r)
		r = editing_set(session, 1, err);
	if (!r)
		r = write_all(session, err);
	return r ? r : editing_set(session, 0, err);
}
