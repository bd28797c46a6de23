/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a command that was killed while it wrote: what it has begun is finished where the services
 * say so, and taken back where they do not.
 */
#include <bpf/bpf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/services/session_int.h"
#include "dp/services/services.h"

/* Marks one service's dests. A list that runs into itself or another one is cut there. */
static int list_mark(struct ivb_session *session, struct ivb_session_service *s, bool *listed,
		     struct ivb_err *err)
{
	__u32 max = session->dp->meta.max_dests, slot = s->svc.first_dest;
	struct ivb_session_dest *d = NULL;
	int r;

	while (slot < max && !listed[slot]) {
		r = ivb_session_dest(session, slot, &d, err);
		if (r)
			return r;
		listed[slot] = true;
		slot = d->dest.next;
	}
	if (slot == IVB_NONE)
		return 0;
	if (d) {
		d->dest.next = IVB_NONE;
		d->changed = true;
	} else {
		s->svc.first_dest = IVB_NONE;
	}
	s->rewrite = true;
	return 0;
}

static int service_repair(struct ivb_session *session, struct ivb_session_service *s, bool *listed,
			  struct ivb_err *err)
{
	int r;

	r = list_mark(session, s, listed, err);
	if (!r)
		r = ivb_session_service_load(session, s, err);
	if (r || (s->list.num == s->svc.num_dests && !s->rewrite))
		return r;
	ivb_sched_cursor_changed(&s->cursor, s->svc.scheduler, s->list.dests, s->list.num);
	s->rewrite = true;
	return 0;
}

/* Servers that are in no list, and tables of services that are not there. */
static int release_unused(struct ivb_session *session, const struct ivb_dest *dests,
			  const bool *listed, const bool *used, struct ivb_err *err)
{
	const struct ivb_sched none = {};
	struct ivb_session_dest *d;
	__u32 i;
	int r;

	for (i = 0; i < session->dp->meta.max_dests; i++) {
		if (dests[i].state != IVB_DEST_AVAILABLE || listed[i])
			continue;
		r = ivb_session_dest(session, i, &d, err);
		if (r)
			return r;
		d->dest.state = IVB_DEST_REMOVED;
		d->changed = true;
	}
	for (i = 0; i < session->dp->meta.max_services * 2; i++) {
		if (!used[i / 2] &&
		    bpf_map_update_elem(session->dp->fds[IVB_MAP_SCHEDS], &i, &none, BPF_ANY))
			return ivb_err(err, -errno, "cannot write to scheds: %m");
	}
	return 0;
}

int ivb_session_repair(struct ivb_session *session, struct ivb_err *err)
{
	const struct ivb_meta *m = &session->dp->meta;
	_cleanup_free_ bool *listed = calloc(m->max_dests, sizeof(*listed));
	_cleanup_free_ bool *used = calloc(m->max_services, sizeof(*used));
	const struct ivb_dest *dests = NULL;
	size_t i;
	int r;

	if (!listed || !used)
		return -ENOMEM;
	r = ivb_session_services_all(session, err);
	for (i = 0; !r && i < session->num_services; i++) {
		struct ivb_session_service *s = session->service_list[i];

		if (s->svc.slot < m->max_services)
			used[s->svc.slot] = true;
		r = service_repair(session, s, listed, err);
	}
	if (r)
		return r;
	dests = ivb_map_mmap(session->dp, IVB_MAP_DESTS, sizeof(*dests), m->max_dests, err);
	if (!dests)
		return -errno;
	r = release_unused(session, dests, listed, used, err);
	ivb_map_munmap(dests, sizeof(*dests), m->max_dests);
	return r ? r : ivb_session_apply(session, err);
}
